"""One interop case with paramiko. Run in an empty directory."""

import errno
import io
import stat
import threading

import paramiko

import target


def connect(user="alice", **options):
    options.setdefault("key_filename", target.KEY)
    client = paramiko.SSHClient()
    client.load_host_keys(target.KNOWN_HOSTS)
    client.connect(
        target.HOST, target.PORT, user, look_for_keys=False, allow_agent=False, timeout=30, **options
    )
    return client


def expect(error, action, *arguments):
    try:
        action(*arguments)
    except error as raised:
        return raised
    raise AssertionError(f"{action.__name__}{arguments} raised nothing")


def transfers():
    with connect() as client, client.open_sftp() as sftp:
        for size in (0, 1, 32768, 32769, 1_000_003, 20_000_000):
            content = target.data(size)
            # confirm: stats right after the close, and compares sizes.
            sftp.putfo(io.BytesIO(content), "stored", file_size=size, confirm=True)
            back = io.BytesIO()
            assert sftp.getfo("stored", back, prefetch=True) == size
            assert back.getvalue() == content, size
            back = io.BytesIO()
            # Everything is asked for at once.
            sftp.getfo("stored", back, prefetch=True, max_concurrent_prefetch_requests=None)
            assert back.getvalue() == content, size


def resume():
    content = target.data(3_000_001)
    with connect() as client, client.open_sftp() as sftp:
        with sftp.open("stored", "wb") as file:
            file.write(content[:1_234_567])
        with sftp.open("stored", "ab") as file:
            file.write(content[1_234_567:])
        with sftp.open("stored", "rb") as file:
            assert file.read() == content
        # Where the client left off, by position instead of appending.
        with sftp.open("seeked", "wb") as file:
            file.write(content[:2_000_000])
        with sftp.open("seeked", "r+b") as file:
            file.seek(2_000_000)
            file.write(content[2_000_000:])
        with sftp.open("seeked", "rb") as file:
            file.seek(-1000, io.SEEK_END)
            assert file.read() == content[-1000:]
            file.seek(5)
            assert file.read(10) == content[5:15]
            chunks = list(file.readv([(0, 10), (1_999_990, 20), (3_000_000, 1)]))
            assert chunks == [content[:10], content[1_999_990:2_000_010], content[3_000_000:]]


def listing():
    with connect() as client, client.open_sftp() as sftp:
        names = sorted(sftp.listdir("many"))
        assert names == [f"f{number:05}" for number in range(10_000)], len(names)
        # Many requests for the next page are in flight at a time.
        names = sorted(entry.filename for entry in sftp.listdir_iter("many", read_aheads=50))
        assert names == [f"f{number:05}" for number in range(10_000)], len(names)


def attributes():
    with connect() as client, client.open_sftp() as sftp:
        sftp.putfo(io.BytesIO(b"x" * 1000), "file")
        sftp.chmod("file", 0o604)
        sftp.utime("file", (1_111_111_111, 1_234_567_890))
        found = sftp.stat("file")
        assert stat.S_ISREG(found.st_mode) and found.st_mode & 0o777 == 0o604, oct(found.st_mode)
        assert (found.st_size, found.st_mtime) == (1000, 1_234_567_890), found
        sftp.chown("file", found.st_uid, found.st_gid)
        with sftp.open("file", "r+b") as file:
            assert file.stat().st_size == 1000
            file.chmod(0o640)
            file.utime((1_000_000_000, 1_000_000_000))
            file.truncate(10)
        found = sftp.stat("file")
        assert found.st_mode & 0o777 == 0o640 and found.st_size == 10, found
        sftp.truncate("file", 3)
        assert sftp.stat("file").st_size == 3
        assert sftp.normalize(".") == "/"
        assert sftp.normalize("a/../b/.") == "/b"


def names():
    with connect() as client, client.open_sftp() as sftp:
        sftp.mkdir("with space")
        sftp.chdir("with space")
        for name in ("k\u00e4se \u65e5\u672c", "new\nline", b"latin-\xe9\xff"):
            with sftp.open(name, "wb") as file:
                file.write(b"content")
            assert sftp.stat(name).st_size == 7
        sftp.rename(b"latin-\xe9\xff", "renamed")
        sftp.putfo(io.BytesIO(b"fresh"), "old")
        sftp.posix_rename("old", "renamed")
        with sftp.open("renamed") as file:
            assert file.read() == b"fresh"
        sftp.symlink("renamed", "link")
        assert sftp.readlink("link") == "renamed"
        assert stat.S_ISLNK(sftp.lstat("link").st_mode)
        assert stat.S_ISREG(sftp.stat("link").st_mode)
        for name in sftp.listdir():
            sftp.remove(name)
        sftp.chdir(None)
        sftp.rmdir("with space")
        assert sftp.listdir() == []


def errors():
    with connect() as client, client.open_sftp() as sftp:
        for action in (sftp.stat, sftp.lstat, sftp.listdir, sftp.open, sftp.remove, sftp.rmdir):
            assert expect(IOError, action, "nothing").errno == errno.ENOENT, action
        sftp.mkdir("directory")
        expect(IOError, sftp.mkdir, "directory")
        expect(IOError, sftp.remove, "directory")
        sftp.putfo(io.BytesIO(b"x"), "directory/file")
        expect(IOError, sftp.rmdir, "directory")
        expect(IOError, sftp.open, "directory/file", "x")
        # Everything still works after the errors.
        assert sftp.listdir("directory") == ["file"]
    with connect("reader") as client, client.open_sftp() as sftp:
        for action, arguments in (
            (sftp.open, ("new", "w")),
            (sftp.mkdir, ("new",)),
            (sftp.rename, ("file", "moved")),
            (sftp.remove, ("file",)),
            (sftp.chmod, ("file", 0o600)),
            (sftp.symlink, ("file", "link")),
        ):
            assert expect(IOError, action, *arguments).errno == errno.EACCES, action
        with sftp.open("file") as file:
            assert file.read() == b"content"


def logins():
    failed = paramiko.AuthenticationException
    connect(key_filename=None, password=target.PASSWORD).close()
    for options in (
        {"key_filename": None, "password": "wrong"},
        {"key_filename": None, "password": ""},
        {"key_filename": target.WRONG_KEY},
        {"user": "nobody"},
    ):
        try:
            connect(**options)
        except failed:
            continue
        raise AssertionError(f"{options} logged in")


def channels():
    content = target.data(5_000_000)
    with connect() as client:
        expect(paramiko.SSHException, client.exec_command, "echo hi")
        expect(paramiko.SSHException, client.invoke_shell)
        broken = []

        def move(number):
            try:
                with client.open_sftp() as sftp:
                    for _ in range(3):
                        sftp.putfo(io.BytesIO(content), f"file-{number}")
                        back = io.BytesIO()
                        sftp.getfo(f"file-{number}", back)
                        assert back.getvalue() == content
            except BaseException as error:
                broken.append(error)
                raise

        threads = [threading.Thread(target=move, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not broken, broken


def rekeying():
    content = target.data(30_000_000)
    with connect() as client:
        packets = client.get_transport().packetizer
        packets.REKEY_BYTES = 1 << 20
        with client.open_sftp() as sftp:
            sftp.putfo(io.BytesIO(content), "stored")
            back = io.BytesIO()
            sftp.getfo("stored", back)
            assert back.getvalue() == content
            client.get_transport().renegotiate_keys()
            assert sftp.stat("stored").st_size == len(content)


target.run(
    {
        function.__name__: function
        for function in (
            transfers,
            resume,
            listing,
            attributes,
            names,
            errors,
            logins,
            channels,
            rekeying,
        )
    }
)
