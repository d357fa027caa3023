"""One interop case with asyncssh. Run in an empty directory."""

import asyncio
import os
import pathlib
import stat

import asyncssh

import target


def connect(user="alice", **options):
    options.setdefault("client_keys", [target.KEY])
    return asyncssh.connect(
        target.HOST,
        target.PORT,
        username=user,
        known_hosts=target.KNOWN_HOSTS,
        config=None,
        agent_path=None,
        login_timeout=30,
        **options,
    )


async def expect(error, awaitable):
    try:
        await awaitable
    except error as raised:
        return raised
    raise AssertionError(f"no {error}")


async def transfers():
    async with connect() as connection, connection.start_sftp_client() as sftp:
        for size in (0, 1, 32768, 32769, 1_000_003, 20_000_000):
            content = target.data(size)
            pathlib.Path("up").write_bytes(content)
            await sftp.put("up", "stored")
            await sftp.get("stored", "down")
            assert pathlib.Path("down").read_bytes() == content, size
        # The largest block the server announces, and a lot of them at a time.
        await sftp.put("up", "stored", block_size=261120, max_requests=256)
        await sftp.get("stored", "down", block_size=261120, max_requests=256)
        assert pathlib.Path("down").read_bytes() == content


async def trees():
    for number in range(300):
        path = pathlib.Path(f"tree/dir {number % 7}/k\u00e4se-{number}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(target.data(number * 100))
    latin = os.fsencode("tree") + b"/latin-\xe9\xff"
    pathlib.Path(os.fsdecode(latin)).write_bytes(b"content")
    os.utime("tree/dir 3/k\u00e4se-3", (1_234_567_890, 1_234_567_890))
    os.chmod("tree/dir 3/k\u00e4se-3", 0o604)
    async with connect() as connection, connection.start_sftp_client() as sftp:
        await sftp.put(b"tree", b"stored", recurse=True, preserve=True)
        found = await sftp.stat("stored/dir 3/k\u00e4se-3")
        assert found.mtime == 1_234_567_890 and found.permissions & 0o777 == 0o604, found
        assert await sftp.exists(b"stored/latin-\xe9\xff")
        matches = await sftp.glob("stored/*/*-29?")
        assert len(matches) == 10, matches
        await sftp.get(b"stored", b"back", recurse=True, preserve=True)
        await sftp.rmtree(b"stored")
        assert await sftp.listdir() in (["."], ["..", "."], [".", ".."], []), await sftp.listdir()
    files = [path for path in pathlib.Path("tree").rglob("*") if path.is_file()]
    assert len(files) == 301
    for path in files:
        copy = "back" / path.relative_to("tree")
        assert copy.read_bytes() == path.read_bytes(), path
    assert os.stat("back/dir 3/k\u00e4se-3").st_mtime == 1_234_567_890


async def resume():
    content = target.data(3_000_001)
    async with connect() as connection, connection.start_sftp_client() as sftp:
        async with sftp.open("stored", "wb") as file:
            await file.write(content[:1_234_567])
        async with sftp.open("stored", "ab") as file:
            await file.write(content[1_234_567:])
        async with sftp.open("stored", "r+b") as file:
            # Written from the end to the start, each block before the answer to the one before it.
            starts = range(3_000_000, 1_000_000, -50_000)
            blocks = [(content[start : start + 50_000], start) for start in starts]
            await asyncio.gather(*(file.write(block, start) for block, start in blocks))
            await file.fsync()
            assert await file.read(100, 2_999_951) == content[2_999_951:]
        assert await sftp.getsize("stored") == len(content)
        async with sftp.open("stored", "rb") as file:
            assert await file.read() == content


async def listing():
    async with connect() as connection, connection.start_sftp_client() as sftp:
        names = sorted([entry.filename async for entry in sftp.scandir("many")])
        assert names == [f"f{number:05}" for number in range(10_000)], len(names)


async def attributes():
    async with connect() as connection, connection.start_sftp_client() as sftp:
        async with sftp.open("file", "w") as file:
            await file.write("x" * 1000)
            await file.utime((1_000_000_000, 1_000_000_000))
            await file.chmod(0o640)
            assert (await file.stat()).size == 1000
            assert (await file.statvfs()).bsize > 0
        found = await sftp.stat("file")
        # Set before the close, and still there after it.
        assert found.mtime == 1_000_000_000 and found.permissions & 0o777 == 0o640, found
        await sftp.truncate("file", 10)
        await sftp.setstat("file", asyncssh.SFTPAttrs(permissions=0o600, atime=5, mtime=7))
        found = await sftp.stat("file")
        assert (found.size, found.permissions & 0o777, found.mtime) == (10, 0o600, 7), found
        await sftp.symlink("file", "link")
        assert await sftp.readlink("link") == "file"
        assert stat.S_ISLNK((await sftp.lstat("link")).permissions)
        assert (await sftp.statvfs("/")).blocks > 0
        assert await sftp.realpath(".") == "/"
        async with sftp.open("old", "w") as file:
            await file.write("fresh")
        await sftp.posix_rename("old", "file")
        assert await sftp.getsize("file") == 5


async def copies():
    async with connect() as connection, connection.start_sftp_client() as sftp:
        content = bytes(range(256)) * 4_000
        async with sftp.open("file", "wb") as file:
            await file.write(content)
        await sftp.symlink("file", "soft")
        await sftp.link("file", "second")
        assert (await sftp.stat("second")).size == len(content)
        # Within the server, if it can.
        await sftp.remote_copy("file", "copy")
        async with sftp.open("copy", "rb") as file:
            assert await file.read() == content
        old = asyncssh.SFTPAttrs(atime=5, mtime=7)
        await sftp.setstat("soft", old, follow_symlinks=False)
        assert (await sftp.lstat("soft")).mtime == 7
        assert (await sftp.stat("soft")).mtime > 7


async def errors():
    async with connect() as connection, connection.start_sftp_client() as sftp:
        for call in (sftp.stat, sftp.listdir, sftp.open, sftp.remove, sftp.rmdir, sftp.readlink):
            await expect(asyncssh.SFTPNoSuchFile, call("nothing"))
        await sftp.mkdir("directory")
        await expect(asyncssh.SFTPFailure, sftp.mkdir("directory"))
        # Many failures at a time, and a success among them.
        calls = [sftp.stat(f"nothing-{number}") for number in range(500)]
        results = await asyncio.gather(*calls, sftp.stat("directory"), return_exceptions=True)
        assert all(isinstance(result, asyncssh.SFTPNoSuchFile) for result in results[:-1])
        assert stat.S_ISDIR(results[-1].permissions)
    async with connect("reader") as connection, connection.start_sftp_client() as sftp:
        for call in (
            sftp.open("new", "w"),
            sftp.mkdir("new"),
            sftp.rename("file", "moved"),
            sftp.remove("file"),
            sftp.chmod("file", 0o600),
        ):
            await expect(asyncssh.SFTPPermissionDenied, call)


async def logins():
    password = {"client_keys": None, "preferred_auth": "password"}
    async with connect(**password, password=target.PASSWORD):
        pass
    # asyncssh answers a keyboard-interactive question with the password too, if there is one.
    for options in (
        {**password, "password": "wrong"},
        {"client_keys": [target.WRONG_KEY]},
        {"user": "nobody"},
    ):
        await expect(asyncssh.PermissionDenied, connect(**options))


async def key_exchanges():
    content = target.data(8_000_000)
    pathlib.Path("up").write_bytes(content)
    for exchange in ("mlkem768x25519-sha256", "curve25519-sha256", "diffie-hellman-group16-sha512"):
        options = {"kex_algs": [exchange], "rekey_bytes": 1 << 20}
        async with connect(**options) as connection, connection.start_sftp_client() as sftp:
            used = connection.get_extra_info("send_cipher")
            assert used, used
            await sftp.put("up", "stored")
            await sftp.get("stored", "down")
            assert pathlib.Path("down").read_bytes() == content, exchange


async def channels():
    content = target.data(3_000_000)
    pathlib.Path("up").write_bytes(content)
    async with connect() as connection:
        for _ in range(5):
            await expect(asyncssh.ChannelOpenError, connection.run("echo hi"))

        async def move(number):
            async with connection.start_sftp_client() as sftp:
                await sftp.put("up", f"stored-{number}")
                await sftp.get(f"stored-{number}", f"down-{number}")
            assert pathlib.Path(f"down-{number}").read_bytes() == content

        await asyncio.gather(*(move(number) for number in range(8)))
        # One after the other, each channel closed before the next.
        for number in range(50):
            async with connection.start_sftp_client() as sftp:
                assert await sftp.exists(f"stored-{number % 8}")


def case(function):
    return lambda: asyncio.run(function())


target.run(
    {
        function.__name__: case(function)
        for function in (
            transfers,
            trees,
            resume,
            listing,
            attributes,
            copies,
            errors,
            logins,
            key_exchanges,
            channels,
        )
    }
)
