//! `limit`: what a download costs at least on this machine, in CPU seconds per GiB: the least that one thread can do,
//! which is to read, seal and send packet after packet.
//!
//! The parts are measured alone, too. Sending alone says little: a sender that does nothing else leaves much of the
//! kernel's work for the connection to whoever reads.
//!
//! Time is the kernel's account of this thread, so waiting for the reader of what is sent does not count, nor does a
//! neighbour that takes the CPU.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::thread::JoinHandle;

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

/// One thing that is done to a packet.
type Part = Box<dyn FnMut(&mut [u8]) -> Result<(), LoadError>>;

/// Measures.
pub(crate) fn run(args: &LimitArgs) -> Result<Value, LoadError> {
    let gib = args.gib.max(1);
    let measure = |parts: Vec<Part>| Ok::<_, LoadError>(spent(gib, parts)? / f64::from(gib));
    let (sink, reader) = sink()?;
    let send = || send(&sink);
    let figures = json!({
        "parts": {
            "gcm": measure(vec![seal(&AES_128_GCM)?])?,
            "chacha": measure(vec![seal(&CHACHA20_POLY1305)?])?,
            "ctr": measure(vec![counter_mode()?])?,
            "hmac": measure(vec![authenticate()])?,
            "pread": measure(vec![read_file()?])?,
            "send": measure(vec![send()?])?,
        },
        "whole": {
            "gcm": measure(vec![read_file()?, seal(&AES_128_GCM)?, send()?])?,
            "chacha": measure(vec![read_file()?, seal(&CHACHA20_POLY1305)?, send()?])?,
            "ctr": measure(vec![read_file()?, counter_mode()?, authenticate(), send()?])?,
        },
    });
    drop(sink);
    // Its connection is gone, so it ends.
    let _ = reader.join();
    Ok(figures)
}

/// CPU seconds of doing all parts, one after the other, to each packet of `gib` GiB.
fn spent(gib: u32, mut parts: Vec<Part>) -> Result<f64, LoadError> {
    let mut packet = vec![1; PACKET];
    let before = thread_cpu_seconds()?;
    for _ in 0..gib as usize * (GIB / PACKET) {
        for part in &mut parts {
            part(&mut packet)?;
        }
    }
    Ok(thread_cpu_seconds()? - before)
}

fn seal(algorithm: &'static Algorithm) -> Result<Part, LoadError> {
    let key = vec![7; algorithm.key_len()];
    let key = UnboundKey::new(algorithm, &key).map_err(|_| failed("cipher"))?;
    let key = LessSafeKey::new(key);
    Ok(Box::new(move |packet| {
        // The nonce is no secret and neither is the key: nothing is protected here.
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from([0; 4]), packet);
        let _tag = tag.map_err(|_| failed("cipher"))?;
        Ok(())
    }))
}

fn counter_mode() -> Result<Part, LoadError> {
    let key = UnboundCipherKey::new(&AES_128, &[7; 16]).map_err(|_| failed("cipher"))?;
    let key = EncryptingKey::ctr(key).map_err(|_| failed("cipher"))?;
    Ok(Box::new(move |packet| {
        let iv = EncryptionContext::Iv128([0; 16].into());
        let sealed = key.less_safe_encrypt(packet, iv);
        let _context = sealed.map_err(|_| failed("cipher"))?;
        Ok(())
    }))
}

fn authenticate() -> Part {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    Box::new(move |packet| {
        std::hint::black_box(hmac::sign(&key, packet));
        Ok(())
    })
}

/// From the page cache, or tmpfs.
fn read_file() -> Result<Part, LoadError> {
    const SIZE: usize = 256 << 20;
    let path = std::env::temp_dir().join(format!("sftp-load-{}", std::process::id()));
    let mut options = fs::File::options();
    let file = options
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    fs::remove_file(&path)?;
    (&file).write_all(&vec![1; SIZE])?;
    let mut offset = 0;
    Ok(Box::new(move |packet| {
        file.read_exact_at(packet, offset as u64)?;
        offset = (offset + PACKET) % SIZE;
        Ok(())
    }))
}

/// A connection over loopback, and the thread that reads what is sent into it until it ends.
fn sink() -> Result<(TcpStream, JoinHandle<()>), LoadError> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let sender = TcpStream::connect(listener.local_addr()?)?;
    sender.set_nodelay(true)?;
    let (mut receiver, _) = listener.accept()?;
    let reader = std::thread::spawn(move || {
        let mut buffer = vec![0; 4 * PACKET];
        while matches!(receiver.read(&mut buffer), Ok(1..)) {}
    });
    Ok((sender, reader))
}

fn send(sink: &TcpStream) -> Result<Part, LoadError> {
    let mut sink = sink.try_clone()?;
    Ok(Box::new(move |packet| Ok(sink.write_all(packet)?)))
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
