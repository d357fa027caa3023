//! A request, taken apart.

use hyper::HeaderMap;
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;

use super::answer::Failure;
use super::state::Object;

/// What a request is about.
pub(super) struct Asked {
    pub(super) bucket: String,
    /// Empty, if it is about the bucket.
    pub(super) name: String,
    /// What stands behind the name: `compose`, or `rewriteTo` with the place.
    pub(super) behind: Vec<String>,
    query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
}

/// What must hold of an object before it is touched.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    /// 0: there must be none.
    generation: Option<u64>,
    metageneration: Option<u64>,
}

impl Conditions {
    pub(super) fn check(&self, object: Option<&Object>) -> Result<(), Failure> {
        let generation = object.map_or(0, |object| object.generation);
        let metageneration = object.map_or(0, |object| object.metageneration);
        let holds = self.generation.is_none_or(|wanted| wanted == generation)
            && self
                .metageneration
                .is_none_or(|wanted| wanted == metageneration);
        if holds {
            Ok(())
        } else {
            Err(Failure::condition())
        }
    }
}

impl Asked {
    pub(super) fn parse(head: &Parts) -> Result<Self, Failure> {
        let path = head.uri.path();
        let path = path.strip_prefix("/upload").unwrap_or(path);
        let rest = path
            .strip_prefix("/storage/v1/b")
            .ok_or_else(Failure::not_found)?;
        // /BUCKET/o/NAME/...; a `/` of a name is encoded.
        let mut parts = rest.split('/').skip(1);
        let bucket = decoded(parts.next().unwrap_or(""))?;
        let name = decoded(parts.nth(1).unwrap_or(""))?;
        let behind: Result<_, _> = parts.map(decoded).collect();
        let mut query = Vec::new();
        for pair in head.uri.query().unwrap_or("").split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.push((decoded(name)?, decoded(&value.replace('+', "%20"))?));
        }
        Ok(Self {
            bucket,
            name,
            behind: behind?,
            query,
            headers: head.headers.clone(),
        })
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let pair = self.query.iter().find(|(found, _)| found == name);
        pair.map(|(_, value)| value.as_str())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A number in the query.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Failure> {
        let number = self.query(name).map(str::parse).transpose();
        number.map_err(|_| Failure::invalid(format!("{name} is no number")))
    }

    /// Those on the object itself.
    pub(super) fn conditions(&self) -> Result<Conditions, Failure> {
        Ok(Conditions {
            generation: self.number("ifGenerationMatch")?,
            metageneration: self.number("ifMetagenerationMatch")?,
        })
    }

    /// Those on the source of a copy.
    pub(super) fn source_conditions(&self) -> Result<Conditions, Failure> {
        Ok(Conditions {
            generation: self.number("ifSourceGenerationMatch")?,
            metageneration: self.number("ifSourceMetagenerationMatch")?,
        })
    }
}

fn decoded(text: &str) -> Result<String, Failure> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| Failure::invalid("The URI is not UTF-8."))?;
    Ok(decoded.into_owned())
}
