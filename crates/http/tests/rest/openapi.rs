//! The document that describes all this.

use crate::support::TestServer;

#[tokio::test]
async fn the_document_is_served_as_it_is_kept() {
    let server = TestServer::start();
    let reply = server.get("/openapi.json").await;
    let json = Some("application/json; charset=utf-8");
    assert_eq!((reply.status, reply.header("content-type")), (200, json));
    assert_eq!(reply.body, sftpgo_http::openapi_document());
    assert_eq!(reply.json()["openapi"], "3.1.0");
}
