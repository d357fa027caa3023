//! Translates the library's callbacks into [`Events`]. Callbacks run inside the task that reads and writes the socket: none of
//! them may wait for anything that needs that task.

use std::collections::HashMap;
use std::sync::Arc;

use russh::client::GexParams;
use russh::kex::dh::groups::DhGroup;
use russh::keys::{Algorithm, PublicKeyBase64 as _};
use russh::server::{
    Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
};
use russh::{ChannelId, ChannelOpenFailure, Disconnect};
use sftpgo_core::model::PublicKey;
use tokio::sync::{Semaphore, oneshot};

use super::channel::{Channel, Place};
use super::error::TransportError;
use super::{ChannelRequest, Events, groups};

/// Channels of one connection that may be open at a time; OpenSSH's `MaxSessions` is 10.
pub(super) const MAX_CHANNELS: usize = 32;
/// Channels one connection may open in vain before it is ended: opening and refusing costs too. Those in which something
/// was started do not count; sync tools open one for every hash that they ask for. Those of kinds that are not served do.
const MAX_CHANNELS_IN_VAIN: usize = 100_000;
/// Largest RSA key that is computed with, in bits, and in wire form: with a large exponent.
const MAX_RSA_BITS: u32 = 8192;
const MAX_RSA_BLOB: usize = 8192 / 8 + 64;

pub(super) struct RusshHandler<E> {
    pub(super) events: E,
    pub(super) login_banner: Option<String>,
    /// Signatures of users' keys that are accepted, by name.
    pub(super) public_keys: Arc<[&'static str]>,
    /// Told once somebody is logged in.
    pub(super) authenticated: Option<oneshot::Sender<()>>,
    /// Open channels in which nothing runs.
    pub(super) idle: HashMap<ChannelId, IdleChannel>,
    /// One for each channel that may be open, [`MAX_CHANNELS`] in all. What runs in a channel gives its place back when it
    /// ends: the library does not tell when the client closes a channel that we closed first.
    pub(super) places: Arc<Semaphore>,
    /// Channels opened less those in which something was started.
    pub(super) in_vain: usize,
    pub(super) identified: bool,
}

/// A channel in which nothing runs; it goes when the client closes it.
pub(super) struct IdleChannel {
    place: Place,
    /// Gone if a request was refused: the library's form cannot be had back. Gone too if data came.
    channel: Option<russh::Channel<Msg>>,
}

fn verdict(accepted: bool) -> Auth {
    if accepted {
        Auth::Accept
    } else {
        Auth::reject()
    }
}

/// The key in our form; `None` if it is of a kind, or signs in a way, that is refused before any arithmetic.
fn acceptable(
    key: &russh::keys::PublicKey,
    algorithm: &Algorithm,
    accepted: &[&str],
) -> Option<PublicKey> {
    // Without `ssh-rsa` in the list, SHA-1 signatures are refused as in OpenSSH 8.8 and later. A question that names `ssh-rsa`
    // is, too: nearly all who ask it sign with SHA-1, and would be asked for a passphrase for nothing.
    if !accepted.contains(&algorithm.as_str()) {
        return None;
    }
    let blob = key.public_key_bytes();
    if let Some(rsa) = key.key_data().rsa()
        && (rsa.key_size() > MAX_RSA_BITS || blob.len() > MAX_RSA_BLOB)
    {
        return None;
    }
    PublicKey::from_blob(&blob).ok()
}

impl<E: Events> RusshHandler<E> {
    fn identify(&mut self, session: &Session) {
        if !std::mem::replace(&mut self.identified, true) {
            let text = String::from_utf8_lossy(session.remote_sshid());
            self.events
                .identified(text.chars().filter(|c| !c.is_control()).take(255).collect());
        }
    }

    /// Counts a channel in which nothing was started so far, and may never be.
    fn opened_in_vain(&mut self) -> Result<(), TransportError> {
        self.in_vain += 1;
        if self.in_vain > MAX_CHANNELS_IN_VAIN {
            let reason = "too many channels were opened in vain";
            return Err(TransportError::new(reason));
        }
        Ok(())
    }

    /// Data in a channel in which nothing runs: nobody would ever read what the library keeps for the channel, so that is
    /// dropped, now and later. Nothing can be started in it any more.
    fn drop_unread(&mut self, id: ChannelId) {
        if !self.idle.is_empty()
            && let Some(idle) = self.idle.get_mut(&id)
        {
            idle.channel = None;
        }
    }

    /// Starts something in a channel, once; everything else is refused at once and the channel stays usable.
    async fn start(
        &mut self,
        id: ChannelId,
        request: ChannelRequest,
        session: &mut Session,
    ) -> Result<(), TransportError> {
        self.identify(session);
        let idle = self.idle.get_mut(&id);
        let taken = idle.and_then(|idle| Some((idle.channel.take()?, Arc::clone(&idle.place))));
        let Some((channel, place)) = taken else {
            return Ok(session.channel_failure(id)?);
        };
        let channel = Channel::new(channel, session.handle(), place);
        // The reply must go out before anything the started side sends.
        match self.events.start(request, channel).await {
            Ok(()) => {
                self.idle.remove(&id);
                self.in_vain = self.in_vain.saturating_sub(1);
                session.channel_success(id)?;
            }
            Err(refused) => {
                session.channel_failure(id)?;
                // A refused channel cannot be given back to the library's form; it is of no use to any client either, but for
                // asking again, which none does.
                drop(refused);
            }
        }
        Ok(())
    }
}

impl<E: Events> Handler for RusshHandler<E> {
    type Error = TransportError;

    fn last_words(error: &TransportError) -> Option<(Disconnect, String)> {
        error.last_words()
    }

    async fn lookup_dh_gex_group(
        &mut self,
        wanted: &GexParams,
    ) -> Result<Option<DhGroup>, Self::Error> {
        Ok(groups::choose(wanted))
    }

    async fn authentication_banner(&mut self) -> Result<Option<String>, Self::Error> {
        Ok(self.login_banner.take())
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(verdict(self.events.password(user, password).await))
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(verdict(
            match acceptable(offer.public_key, offer.algorithm, &self.public_keys) {
                Some(key) => self.events.key_offered(user, &key).await,
                None => false,
            },
        ))
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(verdict(
            match acceptable(key.public_key, key.algorithm, &self.public_keys) {
                Some(key) => self.events.key_verified(user, &key).await,
                None => false,
            },
        ))
    }

    async fn auth_succeeded(&mut self, session: &mut Session) -> Result<(), Self::Error> {
        self.identify(session);
        if self.events.login().is_none() {
            return Err(TransportError::new("logged in without a login"));
        }
        if let Some(authenticated) = self.authenticated.take() {
            // Nobody waits any more if the connection is ending.
            let _ = authenticated.send(());
        }
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: russh::Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.opened_in_vain()?;
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        };
        let id = channel.id();
        let idle = IdleChannel {
            place: Arc::new(place),
            channel: Some(channel),
        };
        self.idle.insert(id, idle);
        reply.accept().await;
        Ok(())
    }

    // Forwarding is not served. Dropping a reply refuses the channel.

    async fn channel_open_x11(
        &mut self,
        _channel: russh::Channel<Msg>,
        _originator_address: &str,
        _originator_port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.opened_in_vain()
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        _channel: russh::Channel<Msg>,
        _host_to_connect: &str,
        _port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.opened_in_vain()
    }

    async fn channel_open_forwarded_tcpip(
        &mut self,
        _channel: russh::Channel<Msg>,
        _host_to_connect: &str,
        _port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.opened_in_vain()
    }

    async fn channel_open_direct_streamlocal(
        &mut self,
        _channel: russh::Channel<Msg>,
        _socket_path: &str,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.opened_in_vain()
    }

    async fn channel_open_refused(&mut self) -> Result<(), Self::Error> {
        self.opened_in_vain()
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        _data: &[u8],
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.drop_unread(channel);
        Ok(())
    }

    async fn extended_data(
        &mut self,
        channel: ChannelId,
        _code: u32,
        _data: &[u8],
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.drop_unread(channel);
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.idle.remove(&channel);
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.start(channel, ChannelRequest::Subsystem(name.to_owned()), session)
            .await
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.start(channel, ChannelRequest::Exec(command.to_vec()), session)
            .await
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        Ok(session.channel_failure(channel)?)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _col_width: u32,
        _row_height: u32,
        _pix_width: u32,
        _pix_height: u32,
        _modes: &[(russh::Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        Ok(session.channel_failure(channel)?)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        Ok(session.channel_failure(channel)?)
    }
}

#[cfg(test)]
mod tests {
    use russh::keys::ssh_key::Mpint;
    use russh::keys::ssh_key::public::{KeyData, RsaPublicKey};
    use russh::keys::{HashAlg, PublicKey};

    use super::*;

    /// An RSA key of so many bits, which nobody has the other half of.
    fn rsa(bits: usize, exponent: &[u8]) -> PublicKey {
        let modulus = vec![0x8f; bits / 8];
        let number = |bytes: &[u8]| Mpint::from_positive_bytes(bytes);
        let key = RsaPublicKey::new(number(exponent), number(&modulus)).unwrap();
        PublicKey::from(KeyData::Rsa(key))
    }

    const MODERN: [&str; 2] = ["ssh-ed25519", "rsa-sha2-512"];
    const LEGACY: [&str; 2] = ["rsa-sha2-512", "ssh-rsa"];

    #[test]
    fn rsa_keys_of_more_than_8192_bits_or_signatures_with_sha1_are_refused_before_any_arithmetic() {
        let algorithm = |hash| Algorithm::Rsa { hash };
        let sha2 = algorithm(Some(HashAlg::Sha512));
        let exponent = [1, 0, 1];
        for (bits, accepted) in [(2048, true), (8192, true), (8200, false), (65_536, false)] {
            let key = rsa(bits, &exponent);
            assert_eq!(
                acceptable(&key, &sha2, &MODERN).is_some(),
                accepted,
                "{bits}"
            );
        }
        let key = rsa(2048, &exponent);
        assert!(acceptable(&key, &algorithm(None), &MODERN).is_none());
        assert!(acceptable(&key, &algorithm(None), &LEGACY).is_some());
        let other = algorithm(Some(HashAlg::Sha256));
        assert!(acceptable(&key, &other, &MODERN).is_none(), "not listed");
        for accepted in [MODERN, LEGACY] {
            assert!(acceptable(&rsa(8192, &[0x7f; 100]), &sha2, &accepted).is_none());
            assert!(acceptable(&rsa(8200, &exponent), &sha2, &accepted).is_none());
        }
    }
}
