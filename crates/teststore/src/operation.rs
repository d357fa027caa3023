//! What a request asks for, by the name that the store's documentation gives it.

use hyper::{HeaderMap, Method, Uri};

/// The language that a store speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// S3, with the bucket in the path: `ListObjectsV2`, `UploadPart`, ...
    S3,
    /// The JSON interface of Google Cloud Storage: `objects.list`, `objects.insert`, ...; `upload.chunk` is each request that
    /// carries content of a resumable upload.
    Gcs,
    /// Azure Blob Storage with the account in the path: `List Blobs`, `Put Block`, ...
    Azure,
}

/// For what no client of ours sends.
const OTHER: &str = "other";

impl Dialect {
    /// The name of the operation; `other`, if it is none of those that a file server needs.
    #[must_use]
    pub fn operation(self, method: &Method, uri: &Uri, headers: &HeaderMap) -> &'static str {
        let asked = Asked {
            method: method.as_str(),
            path: uri.path(),
            query: uri.query().unwrap_or(""),
            headers,
        };
        match self {
            Self::S3 => asked.s3(),
            Self::Gcs => asked.gcs(),
            Self::Azure => asked.azure(),
        }
    }
}

struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
}

impl Asked<'_> {
    /// The value of a name in the query; empty where it has none.
    fn query(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.split('&');
        pairs.find_map(|pair| {
            let (found, value) = pair.split_once('=').unwrap_or((pair, ""));
            (found == name).then_some(value)
        })
    }

    fn asks(&self, name: &str) -> bool {
        self.query(name).is_some()
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>
    fn s3(&self) -> &'static str {
        let path = self.path.trim_start_matches('/');
        let copy = self.headers.contains_key("x-amz-copy-source");
        if path.is_empty() {
            return "ListBuckets";
        }
        let of_object = path.split_once('/').is_some_and(|(_, key)| !key.is_empty());
        if !of_object {
            return match self.method {
                "GET" if self.asks("uploads") => "ListMultipartUploads",
                "GET" if self.asks("location") => "GetBucketLocation",
                "GET" if self.query("list-type") == Some("2") => "ListObjectsV2",
                "GET" => "ListObjects",
                "HEAD" => "HeadBucket",
                "PUT" => "CreateBucket",
                "DELETE" => "DeleteBucket",
                "POST" if self.asks("delete") => "DeleteObjects",
                _ => OTHER,
            };
        }
        match self.method {
            "GET" if self.asks("uploadId") => "ListParts",
            "GET" => "GetObject",
            "HEAD" => "HeadObject",
            "PUT" if self.asks("partNumber") && copy => "UploadPartCopy",
            "PUT" if self.asks("partNumber") => "UploadPart",
            "PUT" if copy => "CopyObject",
            "PUT" => "PutObject",
            "POST" if self.asks("uploads") => "CreateMultipartUpload",
            "POST" if self.asks("uploadId") => "CompleteMultipartUpload",
            "DELETE" if self.asks("uploadId") => "AbortMultipartUpload",
            "DELETE" => "DeleteObject",
            _ => OTHER,
        }
    }

    /// <https://cloud.google.com/storage/docs/json_api/v1>
    fn gcs(&self) -> &'static str {
        if self.path.starts_with("/upload/") {
            return match (self.method, self.query("uploadType")) {
                ("DELETE", _) => "upload.cancel",
                (_, Some(_)) if self.asks("upload_id") => "upload.chunk",
                ("POST", Some("resumable")) => "upload.start",
                ("POST", Some(_)) => "objects.insert",
                ("PUT", _) => "upload.chunk",
                _ => OTHER,
            };
        }
        let Some((_, object)) = self.path.split_once("/o/") else {
            return match self.method {
                "GET" if self.path.ends_with("/o") => "objects.list",
                "GET" if self.path.ends_with("/b") => "buckets.list",
                "GET" => "buckets.get",
                "POST" => "buckets.insert",
                "DELETE" => "buckets.delete",
                _ => OTHER,
            };
        };
        match self.method {
            "GET" if self.query("alt") == Some("media") => "objects.get media",
            "GET" => "objects.get",
            "DELETE" => "objects.delete",
            "PATCH" => "objects.patch",
            "PUT" => "objects.update",
            "POST" if object.contains("/rewriteTo/") => "objects.rewrite",
            "POST" if object.contains("/copyTo/") => "objects.copy",
            "POST" if object.ends_with("/compose") => "objects.compose",
            _ => OTHER,
        }
    }

    /// <https://learn.microsoft.com/rest/api/storageservices/operations-on-blobs>
    fn azure(&self) -> &'static str {
        let component = self.query("comp").unwrap_or("");
        let copy = self.headers.contains_key("x-ms-copy-source");
        if self.query("restype") == Some("container") {
            return match (self.method, component) {
                ("GET", "list") => "List Blobs",
                ("GET" | "HEAD", "") => "Get Container Properties",
                ("PUT", "") => "Create Container",
                ("DELETE", "") => "Delete Container",
                _ => OTHER,
            };
        }
        match (self.method, component) {
            ("GET", "") => "Get Blob",
            ("GET", "blocklist") => "Get Block List",
            ("HEAD", "") => "Get Blob Properties",
            ("PUT", "") if copy => "Copy Blob",
            ("PUT", "") => "Put Blob",
            ("PUT", "copy") => "Abort Copy Blob",
            ("PUT", "block") if copy => "Put Block From URL",
            ("PUT", "block") => "Put Block",
            ("PUT", "blocklist") => "Put Block List",
            ("PUT", "metadata") => "Set Blob Metadata",
            ("PUT", "properties") => "Set Blob Properties",
            ("PUT", "tier") => "Set Blob Tier",
            ("PUT", "lease") => "Lease Blob",
            ("DELETE", "") => "Delete Blob",
            ("GET", "list") => "List Containers",
            _ => OTHER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(dialect: Dialect, line: &str, header: Option<&'static str>) -> &'static str {
        let (method, target) = line.split_once(' ').unwrap();
        let mut headers = HeaderMap::new();
        if let Some(name) = header {
            headers.insert(name, "/other/key".parse().unwrap());
        }
        dialect.operation(&method.parse().unwrap(), &target.parse().unwrap(), &headers)
    }

    #[test]
    fn requests_of_s3_have_the_names_of_its_documentation() {
        for (line, name) in [
            ("GET /bucket?list-type=2&prefix=a%2F", "ListObjectsV2"),
            ("GET /bucket/?prefix=a&list-type=2", "ListObjectsV2"),
            ("GET /bucket/?uploads=", "ListMultipartUploads"),
            ("HEAD /bucket", "HeadBucket"),
            ("POST /bucket?delete", "DeleteObjects"),
            ("GET /bucket//key?x-id=GetObject", "GetObject"),
            ("PUT /bucket/folder/?x-id=PutObject", "PutObject"),
            ("POST /bucket/key?uploads", "CreateMultipartUpload"),
            ("PUT /bucket/key?partNumber=1&uploadId=u", "UploadPart"),
            ("POST /bucket/key?uploadId=u", "CompleteMultipartUpload"),
            ("DELETE /bucket/key?uploadId=u", "AbortMultipartUpload"),
            ("DELETE /bucket/key", "DeleteObject"),
            ("PATCH /bucket/key", "other"),
        ] {
            assert_eq!(operation(Dialect::S3, line, None), name, "{line}");
        }
        for (line, name) in [
            ("PUT /bucket/key", "CopyObject"),
            ("PUT /bucket/key?partNumber=1&uploadId=u", "UploadPartCopy"),
        ] {
            assert_eq!(
                operation(Dialect::S3, line, Some("x-amz-copy-source")),
                name
            );
        }
    }

    #[test]
    fn requests_of_google_have_the_names_of_its_documentation() {
        for (line, name) in [
            ("GET /storage/v1/b/bucket/o?prefix=a", "objects.list"),
            ("GET /storage/v1/b/bucket/o/a%2Fb", "objects.get"),
            (
                "GET /storage/v1/b/bucket/o/a%2Fb?alt=media",
                "objects.get media",
            ),
            ("GET /storage/v1/b/bucket", "buckets.get"),
            (
                "POST /upload/storage/v1/b/bucket/o?uploadType=media&name=a",
                "objects.insert",
            ),
            (
                "POST /upload/storage/v1/b/bucket/o?uploadType=resumable",
                "upload.start",
            ),
            (
                "PUT /upload/storage/v1/b/bucket/o?uploadType=resumable&upload_id=1",
                "upload.chunk",
            ),
            (
                "POST /storage/v1/b/x/o/a/rewriteTo/b/y/o/c",
                "objects.rewrite",
            ),
            ("POST /storage/v1/b/x/o/a/compose", "objects.compose"),
            ("PATCH /storage/v1/b/x/o/a", "objects.patch"),
        ] {
            assert_eq!(operation(Dialect::Gcs, line, None), name, "{line}");
        }
    }

    #[test]
    fn requests_of_azure_have_the_names_of_its_documentation() {
        for (line, name) in [
            (
                "GET /account/c?restype=container&comp=list&prefix=a",
                "List Blobs",
            ),
            ("PUT /account/c?restype=container", "Create Container"),
            ("GET /account/c/key", "Get Blob"),
            ("HEAD /account/c/key", "Get Blob Properties"),
            ("PUT /account/c/key", "Put Blob"),
            ("PUT /account/c/key?comp=block&blockid=AAA%3D", "Put Block"),
            ("PUT /account/c/key?comp=blocklist", "Put Block List"),
            ("DELETE /account/c/key", "Delete Blob"),
        ] {
            assert_eq!(operation(Dialect::Azure, line, None), name, "{line}");
        }
        let copied = operation(
            Dialect::Azure,
            "PUT /account/c/key",
            Some("x-ms-copy-source"),
        );
        assert_eq!(copied, "Copy Blob");
    }
}
