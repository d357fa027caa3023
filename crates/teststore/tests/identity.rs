//! Credentials are given to those who ask as the cloud demands.

use jiff::SignedDuration;
use sftpgo_teststore::{Call, FakeIdentity, Keys, Reply};

const KEYS: Keys = Keys {
    id: "test-id",
    secret: "test-secret",
};

async fn start() -> FakeIdentity {
    FakeIdentity::start(KEYS, "test-token").await
}

fn has_all(reply: &Reply) {
    for word in [KEYS.id, KEYS.secret, "test-token"] {
        assert!(reply.text().contains(word), "{}", reply.text());
    }
}

#[tokio::test]
async fn an_instance_must_show_the_token_that_it_has_asked_for() {
    let fake = start().await;
    let path = "/latest/meta-data/iam/security-credentials/";
    let refused = Call::new("GET", path).send(fake.address()).await;
    assert_eq!(refused.status, 401);
    let token = Call::new("PUT", "/latest/api/token")
        .header("x-aws-ec2-metadata-token-ttl-seconds", "60")
        .send(fake.address())
        .await
        .succeeded()
        .text();
    let get = |path: String| {
        let call = Call::new("GET", path).header("x-aws-ec2-metadata-token", &token);
        call.send(fake.address())
    };
    let role = get(path.to_owned()).await.succeeded().text();
    has_all(&get(format!("{path}{role}")).await.succeeded());
    assert_eq!(get(format!("{path}other")).await.status, 404);
}

#[tokio::test]
async fn containers_and_roles_are_given_credentials() {
    let fake = start().await;
    let container = Call::new("GET", "/container").send(fake.address()).await;
    has_all(&container.succeeded());
    for action in ["AssumeRole", "AssumeRoleWithWebIdentity"] {
        let body = format!("Action={action}&Version=2011-06-15&RoleArn=arn");
        let reply = Call::new("POST", "/").body(body).send(fake.address()).await;
        has_all(&reply.succeeded());
    }
    let other = Call::new("POST", "/").body("Action=Other");
    assert_eq!(other.send(fake.address()).await.status, 400);
    let asked = fake.asked();
    assert_eq!(asked.len(), 4);
    assert_eq!(
        (asked[1].method.as_str(), asked[1].target.as_str()),
        ("POST", "/")
    );
    assert!(asked[1].body.contains("RoleArn=arn"));
}

#[tokio::test]
async fn machines_of_google_and_azure_get_a_token_if_they_say_that_they_are() {
    let fake = start().await;
    fake.set_lifetime(SignedDuration::from_secs(90));
    let google = "/computeMetadata/v1/instance/service-accounts/default/token";
    let azure = "/metadata/identity/oauth2/token?api-version=2018-02-01";
    for (path, name, value) in [
        (google, "metadata-flavor", "Google"),
        (azure, "metadata", "true"),
    ] {
        let call = || Call::new("GET", path);
        assert!(call().send(fake.address()).await.status >= 400);
        let reply = call()
            .header(name, value)
            .send(fake.address())
            .await
            .succeeded();
        assert!(reply.text().contains(r#""access_token":"test-token""#));
        assert!(reply.text().contains("90"), "{}", reply.text());
    }
    let signed = Call::new("POST", "/token").body("grant_type=a&assertion=b");
    let reply = signed.send(fake.address()).await.succeeded();
    assert!(reply.text().contains(r#""expires_in":90"#));
    let secret =
        Call::new("POST", "/tenant/oauth2/v2.0/token").body("grant_type=client_credentials");
    let reply = secret.send(fake.address()).await.succeeded();
    assert!(reply.text().contains(r#""access_token":"test-token""#));
    assert!(reply.text().contains(r#""expires_in":90"#));
}
