//! Copies within the store, and changes of what is kept with an object.

use http::Method;

use super::super::object::{
    AppendRequest, CopyRequest, ObjectError, ObjectErrorKind, ObjectResult,
};
use super::client::{Call, Client};
use super::document::{Composition, OBJECT_FIELDS, Object, Rewritten};
use super::place::Place;

/// See [`ObjectStore::copy`](super::super::object::ObjectStore::copy).
///
/// The object is looked at first: what a copy is to have must be said whole or not at all, and left out, the storage class is
/// that of the bucket.
pub(super) async fn copy(
    client: &Client,
    place: &Place,
    acl: Option<&str>,
    request: &CopyRequest,
) -> ObjectResult<()> {
    let source = look(client, place, &request.from, request.etag.as_deref()).await?;
    let class = request.attributes.storage_class.as_deref();
    let same_class = class.is_none() || class == source.kept.storage_class.as_deref();
    if request.replace && request.from == request.to && same_class {
        return patch(client, place, &source, request).await;
    }
    rewrite(client, place, acl, &source, request).await
}

/// What is known of an object, of one version if that is given.
async fn look(
    client: &Client,
    place: &Place,
    key: &str,
    version: Option<&str>,
) -> ObjectResult<Object> {
    let url = place.object(key).with("fields", OBJECT_FIELDS);
    let call = Call::new(Method::GET, &url);
    let found: Object = client.ask("look for the source of a copy", call).await?;
    if version.is_some_and(|version| version != found.version()) {
        let context = "the source of a copy is another by now";
        return Err(ObjectError::new(ObjectErrorKind::Precondition, context));
    }
    Ok(found)
}

/// Changes what is kept with an object, and no byte of it.
async fn patch(
    client: &Client,
    place: &Place,
    source: &Object,
    request: &CopyRequest,
) -> ObjectResult<()> {
    let url = place
        .object(&request.to)
        .with("ifGenerationMatch", &source.version())
        // Whoever changes it as well meanwhile is not undone.
        .with("ifMetagenerationMatch", &source.metageneration.to_string())
        .with("fields", "generation");
    let changes = source.kept.patch(&request.attributes);
    let call = Call::new(Method::PATCH, &url).json(&changes)?;
    client
        .tell("change what is kept with an object", call)
        .await
}

/// Copies an object, in as many calls as the store wants; the caller ends it if they take too long.
/// <https://cloud.google.com/storage/docs/json_api/v1/objects/rewrite>
async fn rewrite(
    client: &Client,
    place: &Place,
    acl: Option<&str>,
    source: &Object,
    request: &CopyRequest,
) -> ObjectResult<()> {
    let kept = source.kept.clone();
    let kept = if request.replace {
        kept.replaced(&request.attributes)
    } else {
        kept.in_class(request.attributes.storage_class.as_deref())
    };
    let url = place
        .rewrite(&request.from, &request.to)
        .with("ifSourceGenerationMatch", &source.version())
        // It is not copied.
        .option("destinationPredefinedAcl", acl)
        .with("fields", "done,rewriteToken");
    let mut token: Option<String> = None;
    loop {
        let url = url.clone().option("rewriteToken", token.as_deref());
        let call = Call::new(Method::POST, &url).json(&kept)?;
        let rewritten: Rewritten = client.ask("copy an object", call).await?;
        if rewritten.done {
            return Ok(());
        }
        if rewritten.rewrite_token.is_none() {
            let context = "the store does not say how a copy goes on";
            return Err(ObjectError::new(ObjectErrorKind::Internal, context));
        }
        token = rewritten.rewrite_token;
    }
}

/// See [`ObjectStore::append`](super::super::object::ObjectStore::append).
/// The whole has nothing that is not said, as a copy.
/// <https://cloud.google.com/storage/docs/json_api/v1/objects/compose>
pub(super) async fn append(
    client: &Client,
    place: &Place,
    acl: Option<&str>,
    request: &AppendRequest,
) -> ObjectResult<()> {
    let first = look(client, place, &request.key, Some(&request.etag)).await?;
    let url = place
        .compose(&request.key)
        .with("ifGenerationMatch", &request.etag)
        .option("destinationPredefinedAcl", acl)
        .with("fields", "generation");
    let composition = Composition::new(
        [(&request.key, Some(&request.etag)), (&request.rest, None)],
        first.kept.replaced(&request.attributes),
    );
    let call = Call::new(Method::POST, &url).json(&composition)?;
    client.tell("put objects together", call).await
}
