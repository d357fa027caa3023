//! `limit`: what a download costs at least on this machine, from its parts, in CPU seconds per GiB.
//!
//! Time is the kernel's account of this thread, so waiting for the reader of what is sent does not count, nor does a
//! neighbour that takes the CPU.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt;

use aws_lc_rs::aead::{
    AES_128_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::hmac;
use clap::Args;
use serde_json::{Value, json};

use crate::error::LoadError;

/// What SSH packets carry.
const PACKET: usize = 32_768;
const GIB: usize = 1 << 30;

#[derive(Args)]
pub(crate) struct LimitArgs {
    /// GiB per part
    #[arg(long, default_value_t = 1)]
    gib: u32,
}

/// Measures the parts.
pub(crate) fn run(args: &LimitArgs) -> Result<Value, LoadError> {
    let packets = args.gib.max(1) as usize * (GIB / PACKET);
    let per_gib = |seconds: f64| seconds / f64::from(args.gib.max(1));
    Ok(json!({
        "gcm": per_gib(seal(&AES_128_GCM, packets)?),
        "chacha": per_gib(seal(&CHACHA20_POLY1305, packets)?),
        "ctr": per_gib(counter_mode(packets)?),
        "hmac": per_gib(authenticate(packets)?),
        "pread": per_gib(read_file(packets)?),
        "send": per_gib(send(packets)?),
    }))
}

/// CPU seconds of doing something `packets` times.
fn spent(packets: usize, mut one: impl FnMut() -> Result<(), LoadError>) -> Result<f64, LoadError> {
    let before = thread_cpu_seconds()?;
    for _ in 0..packets {
        one()?;
    }
    Ok(thread_cpu_seconds()? - before)
}

fn seal(algorithm: &'static Algorithm, packets: usize) -> Result<f64, LoadError> {
    let key = vec![7; algorithm.key_len()];
    let key = UnboundKey::new(algorithm, &key).map_err(|_| failed("cipher"))?;
    let key = LessSafeKey::new(key);
    let mut data = vec![1; PACKET];
    spent(packets, || {
        // The nonce is never used for anything that leaves this function.
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from([0; 4]), &mut data);
        let _tag = tag.map_err(|_| failed("cipher"))?;
        Ok(())
    })
}

fn counter_mode(packets: usize) -> Result<f64, LoadError> {
    let key = UnboundCipherKey::new(&AES_128, &[7; 16]).map_err(|_| failed("cipher"))?;
    let key = EncryptingKey::ctr(key).map_err(|_| failed("cipher"))?;
    let mut data = vec![1; PACKET];
    spent(packets, || {
        let iv = EncryptionContext::Iv128([0; 16].into());
        key.less_safe_encrypt(&mut data, iv)
            .map_err(|_| failed("cipher"))?;
        Ok(())
    })
}

fn authenticate(packets: usize) -> Result<f64, LoadError> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    let data = vec![1; PACKET];
    spent(packets, || {
        std::hint::black_box(hmac::sign(&key, &data));
        Ok(())
    })
}

/// From the page cache, or tmpfs.
fn read_file(packets: usize) -> Result<f64, LoadError> {
    const SIZE: usize = 256 << 20;
    let path = std::env::temp_dir().join(format!("sftp-load-{}", std::process::id()));
    let file = fs::File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    fs::remove_file(&path)?;
    (&file).write_all(&vec![1; SIZE])?;
    let mut buffer = vec![0; PACKET];
    let mut offset = 0;
    spent(packets, || {
        file.read_exact_at(&mut buffer, offset as u64)?;
        offset = (offset + PACKET) % SIZE;
        Ok(())
    })
}

fn send(packets: usize) -> Result<f64, LoadError> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut sender = TcpStream::connect(listener.local_addr()?)?;
    sender.set_nodelay(true)?;
    let (mut receiver, _) = listener.accept()?;
    let reader = std::thread::spawn(move || {
        let mut buffer = vec![0; 4 * PACKET];
        while matches!(receiver.read(&mut buffer), Ok(1..)) {}
    });
    let data = vec![1; PACKET];
    let spent = spent(packets, || Ok(sender.write_all(&data)?))?;
    drop(sender);
    let _ = reader.join();
    Ok(spent)
}

/// The first field of schedstat is the thread's time on a CPU in nanoseconds.
fn thread_cpu_seconds() -> Result<f64, LoadError> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text
        .split_whitespace()
        .next()
        .and_then(|field| field.parse::<f64>().ok());
    Ok(nanoseconds.ok_or_else(|| failed("schedstat"))? / 1e9)
}

fn failed(what: &str) -> LoadError {
    LoadError::Wrong(format!("{what} does not work"))
}
