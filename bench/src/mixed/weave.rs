//! Several transfers on one channel at the same time, their requests interleaved.

use crate::channel::SftpChannel;
use crate::download::Reader;
use crate::error::LoadError;
use crate::upload::{Job, Writer};

/// Receives all `downloads` and sends all `uploads`, each in pipelined requests, and closes everything.
pub(crate) async fn weave(
    channel: &mut SftpChannel,
    downloads: &[Job],
    uploads: &[Job],
) -> Result<(), LoadError> {
    let mut readers = Vec::new();
    for job in downloads {
        readers.push(Reader::open(channel, job).await?);
    }
    let mut writers = Vec::new();
    for job in uploads {
        writers.push(Writer::open(channel, job).await?);
    }
    loop {
        readers.iter_mut().for_each(|reader| reader.ask(channel));
        writers.iter_mut().for_each(|writer| writer.ask(channel));
        if readers.iter().all(Reader::is_done) && writers.iter().all(Writer::is_done) {
            break;
        }
        let reply = channel.reply().await?;
        let id = reply.id().unwrap_or(0);
        if let Some(reader) = readers.iter_mut().find(|reader| reader.owns(id)) {
            reader.take(channel, reply)?;
        } else if let Some(writer) = writers.iter_mut().find(|writer| writer.owns(id)) {
            writer.take(&reply)?;
        } else {
            return Err(LoadError::Wrong(format!("nobody asked {id}")));
        }
    }
    for reader in &readers {
        channel.close(reader.handle()).await?;
    }
    for writer in &writers {
        channel.close(writer.handle()).await?;
    }
    Ok(())
}
