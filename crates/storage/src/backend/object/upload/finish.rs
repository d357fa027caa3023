//! The end of an upload: it becomes an object, or nothing.

use bytes::Bytes;

use super::super::look::Found;
use super::super::modified::note_modified;
use super::super::storage::is_a_directory;
use super::super::store::{
    Condition, ObjectError, ObjectErrorKind, ObjectInfo, ObjectResult, PutOptions,
};
use super::ObjectWrite;
use super::assembly::Assembly;
use super::continued::Continued;
use super::sender::Sender;
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::metadata::{FileTime, Metadata};
use crate::storage::{Ended, Expected};

impl ObjectWrite {
    /// Answers when the store has said that the object is there, and shown it.
    pub(super) async fn finish(&mut self, expected: Expected) -> StorageResult<Ended> {
        let finished = self.try_finish(expected).await;
        let failure = finished.as_ref().err().map(StorageError::kind);
        if failure == Some(StorageErrorKind::Raced) {
            // It is asked for again.
            return finished;
        }
        let uploads = &self.inner.counters().uploads;
        if failure.is_some() {
            uploads.failed.increment();
        } else {
            uploads.completed.increment();
        }
        // Nothing is left of one that went well.
        self.assembly.get_mut().give_up().await;
        finished
    }

    async fn try_finish(&mut self, expected: Expected) -> StorageResult<Ended> {
        let assembly = self.assembly.get_mut();
        assembly.check()?;
        if assembly.has_gap() {
            let context = "bytes are missing in the middle of the file";
            return Err(StorageError::new(
                StorageErrorKind::InvalidArgument,
                context,
            ));
        }
        let there = self.inner.look_at(&self.path).await?;
        let removed = self.inner.metadata(&self.path, &there)?;
        match &there {
            Found::Folder => return Err(is_a_directory("a directory is there")),
            Found::File(_) if self.condition == Condition::Absent => {
                let context = "a file is there";
                return Err(StorageError::new(StorageErrorKind::AlreadyExists, context));
            }
            Found::File(_) | Found::Nothing => {}
        }
        if self.continues {
            return self.finish_continued(there).await;
        }
        self.inner.check_expected(expected, removed.as_ref())?;
        let metadata = self.store(there, self.condition).await?;
        Ok(Some((metadata, removed)))
    }

    /// The end of a file to which something was added: still the same file, so nothing was replaced.
    async fn finish_continued(&mut self, there: Found) -> StorageResult<Ended> {
        let before = self.replaced.and_then(|old| old.id);
        let now = self.inner.metadata(&self.path, &there)?;
        if now.and_then(|now| now.id) != before {
            let context = "somebody else changed the file while something was added to it";
            return Err(StorageError::new(StorageErrorKind::Unavailable, context));
        }
        let untouched = self.assembly.get_mut().is_untouched();
        let metadata = match there {
            Found::File(info) if untouched => {
                let time = *self.modified.lock();
                self.take_time(Some(*info), time).await?
            }
            Found::File(_) | Found::Folder | Found::Nothing => {
                self.store(there, Condition::None).await?
            }
        };
        Ok(Some((metadata, None)))
    }

    /// Brings the object into being in one step, in place of `there`.
    async fn store(&mut self, there: Found, condition: Condition) -> StorageResult<Metadata> {
        let size = self.assembly.get_mut().end();
        if let Some(continued) = self.assembly.get_mut().take_continued() {
            return self.join(continued, &there, size).await;
        }
        let time = if let Some(whole) = self.assembly.get_mut().take_whole()? {
            self.put(whole, condition).await?;
            None
        } else {
            if let Some(sender) = self.assembly.get_mut().take_parts().await? {
                self.complete(sender, &there, size, condition).await?;
            }
            // An upload in parts says what is kept with it when it begins, and clients say the time in the end.
            *self.modified.lock()
        };
        self.inner.pins.ended(&self.key);
        let info = self.confirm(size).await;
        self.take_time(info, time).await
    }

    /// Adds what has come to what is there.
    async fn join(
        &mut self,
        continued: Continued,
        there: &Found,
        size: u64,
    ) -> StorageResult<Metadata> {
        let assembly = self.assembly.get_mut();
        if let Some(whole) = assembly.take_whole()? {
            continued.put(whole).await?;
        } else if let Some(sender) = assembly.take_parts().await? {
            if let Err(error) = sender.complete(Condition::None).await {
                sender.abort().await;
                return Err(error.into());
            }
            sender.done();
        }
        let mut attributes = continued.attributes();
        if let Some(time) = *self.modified.lock() {
            note_modified(&mut attributes, time);
        }
        if let Err(error) = continued.join(attributes).await {
            // The answer to an earlier attempt may have got lost: it is another object because it is done.
            let other = error.kind() == ObjectErrorKind::Precondition;
            if !other || !self.is_new(there, size).await? {
                return Err(error.into());
            }
        }
        continued.remove().await;
        self.inner.pins.ended(&self.key);
        self.confirm(size).await;
        Ok(self.pin.get())
    }

    /// Sets the time of the last change of what is there, and tells what it is then.
    async fn take_time(
        &self,
        info: Option<ObjectInfo>,
        time: Option<FileTime>,
    ) -> StorageResult<Metadata> {
        if let (Some(info), Some(time)) = (info, time) {
            let size = info.size;
            self.inner.set_modified(&self.key, info, time).await?;
            self.confirm(size).await;
        }
        Ok(self.pin.get())
    }

    async fn put(&self, whole: Bytes, condition: Condition) -> StorageResult<()> {
        let mut attributes = self.inner.new_attributes();
        if let Some(time) = *self.modified.lock() {
            note_modified(&mut attributes, time);
        }
        let mut options = PutOptions {
            attributes,
            condition,
        };
        match self.put_elsewhere(whole.clone(), options.clone()).await {
            Err(error) if is_unconditional(&error, condition) => {
                options.condition = Condition::None;
                Ok(self.put_elsewhere(whole, options).await?)
            }
            put => put.map_err(made_meanwhile),
        }
    }

    /// Puts the object on the threads of the server: encryption and digests of a part would keep a connection's thread.
    async fn put_elsewhere(&self, whole: Bytes, options: PutOptions) -> ObjectResult<()> {
        let (calls, key) = (self.inner.calls.clone(), self.key.clone());
        let put = async move { calls.put(&key, whole, &options).await };
        self.inner.engine.tasks.run(put).await
    }

    async fn complete(
        &self,
        sender: Sender,
        there: &Found,
        size: u64,
        condition: Condition,
    ) -> StorageResult<()> {
        let mut completed = sender.complete(condition).await;
        if completed
            .as_ref()
            .is_err_and(|error| is_unconditional(error, condition))
        {
            completed = sender.complete(Condition::None).await;
        }
        if let Err(error) = completed {
            // The answer to an earlier attempt may have got lost: the upload is gone because the object is there.
            let gone = error.kind() == ObjectErrorKind::NoSuchUpload;
            if !gone || !self.is_new(there, size).await? {
                sender.abort().await;
                return Err(match condition {
                    Condition::Absent => made_meanwhile(error),
                    // The store may tell of others without having been asked for it.
                    Condition::None => error.into(),
                });
            }
        }
        sender.done();
        Ok(())
    }

    /// Whether another object is there than before, of the size that ours has.
    async fn is_new(&self, before: &Found, size: u64) -> StorageResult<bool> {
        let Some(now) = self.inner.calls.head(&self.key).await? else {
            return Ok(false);
        };
        let old = match before {
            Found::File(info) => Some(&info.etag),
            Found::Folder | Found::Nothing => None,
        };
        Ok(now.size == size && old != Some(&now.etag))
    }

    /// Looks at the object, which the store has said is there; what follows may fail, but this is no doubt any more.
    async fn confirm(&self, size: u64) -> Option<ObjectInfo> {
        let info = self.inner.calls.head(&self.key).await.ok().flatten();
        // Somebody else may have replaced or removed it already.
        let info = info.filter(|info| info.size == size);
        self.pin.set(match &info {
            Some(info) => self.inner.file_metadata(&self.key, info),
            None => Metadata {
                id: Some(self.id),
                ..self.inner.plain_file(size, super::now())
            },
        });
        info
    }

    /// Removes what the store has of the upload. A file that was to be continued stays what it was.
    pub(super) async fn give_up(&mut self) -> StorageResult<Ended> {
        let assembly: &mut Assembly = self.assembly.get_mut();
        assembly.give_up().await;
        self.inner.counters().uploads.failed.increment();
        if !self.continues {
            return Ok(None);
        }
        let there = self.inner.look_at(&self.path).await?;
        let Found::File(info) = there else {
            self.pin.set(Metadata {
                links: 0,
                ..self.pin.get()
            });
            return Ok(None);
        };
        let metadata = self.inner.file_metadata(&self.key, &info);
        self.pin.set(metadata);
        Ok(Some((metadata, None)))
    }
}

/// Whether the store does not know conditions: what was looked at a moment ago must do.
fn is_unconditional(error: &ObjectError, condition: Condition) -> bool {
    condition != Condition::None && error.kind() == ObjectErrorKind::Unsupported
}

/// A file that came between the look and the end.
pub(super) fn made_meanwhile(error: ObjectError) -> StorageError {
    if error.kind() == ObjectErrorKind::Precondition {
        let context = "a file is there";
        return StorageError::with_source(StorageErrorKind::AlreadyExists, context, error);
    }
    error.into()
}
