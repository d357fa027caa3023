//! sftpgo patch 26: `sntrup761x25519-sha512` (draft-ietf-sshm-ntruprime-ssh), the key exchange after the quantum computer of
//! OpenSSH 8.5 to 9.8 and of PuTTY since 0.78. The side of the server only.

use curve25519_dalek::montgomery::MontgomeryPoint;
use log::debug;
use sha2::{Digest, Sha512};
use sntrup761::{EncapsulationKey, PUBLIC_KEY_SIZE};
use ssh_encoding::{Decode, Encode, Writer};

use super::{KexAlgorithm, KexAlgorithmImplementor, KexType, SharedSecret, compute_keys};
use crate::parsing::ensure_end;
use crate::session::Exchange;
use crate::{CryptoVec, Error, cipher, mac, msg};

pub struct Sntrup761X25519KexType {}

impl KexType for Sntrup761X25519KexType {
    fn make(&self) -> KexAlgorithm {
        Sntrup761X25519Kex { shared: None }.into()
    }
}

#[doc(hidden)]
pub struct Sntrup761X25519Kex {
    /// The hash of both secrets, which is what the exchange ends with.
    shared: Option<[u8; 64]>,
}

impl std::fmt::Debug for Sntrup761X25519Kex {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "Sntrup761X25519Kex {{ shared: [hidden] }}")
    }
}

impl KexAlgorithmImplementor for Sntrup761X25519Kex {
    fn skip_exchange(&self) -> bool {
        false
    }

    fn server_dh(&mut self, exchange: &mut Exchange, payload: &[u8]) -> Result<(), Error> {
        let Some((&msg::KEX_HYBRID_INIT, mut rest)) = payload.split_first() else {
            return Err(Error::Inconsistent);
        };
        let init = Vec::<u8>::decode(&mut rest)?;
        ensure_end(&rest)?;
        let (quantum, classic) = init
            .split_at_checked(PUBLIC_KEY_SIZE)
            .ok_or(Error::Kex)?;
        let quantum = EncapsulationKey::try_from(quantum).map_err(|_| Error::Kex)?;
        let classic = MontgomeryPoint(classic.try_into().map_err(|_| Error::Kex)?);

        let (ciphertext, k_pq) = quantum.encapsulate(rand::rng());
        let secret = rand::random::<[u8; 32]>();
        let k_cl = classic.mul_clamped(secret);
        if k_cl.0 == [0u8; 32] {
            debug!("client sent a low-order curve25519 pubkey");
            return Err(Error::Kex);
        }

        exchange.server_ephemeral.clear();
        exchange
            .server_ephemeral
            .extend_from_slice(ciphertext.as_ref());
        exchange
            .server_ephemeral
            .extend_from_slice(&MontgomeryPoint::mul_base_clamped(secret).0);

        let mut hasher = Sha512::new();
        hasher.update(k_pq.as_ref());
        hasher.update(k_cl.0);
        self.shared = Some(hasher.finalize().into());
        Ok(())
    }

    fn client_dh(&mut self, _: &mut Vec<u8>, _: &mut impl Writer) -> Result<(), Error> {
        Err(Error::KexInit)
    }

    fn compute_shared_secret(&mut self, _: &[u8]) -> Result<(), Error> {
        Err(Error::KexInit)
    }

    fn shared_secret_bytes(&self) -> Option<&[u8]> {
        self.shared.as_ref().map(|shared| shared.as_slice())
    }

    fn compute_exchange_hash(
        &self,
        key: &[u8],
        exchange: &Exchange,
        buffer: &mut CryptoVec,
    ) -> Result<Vec<u8>, Error> {
        let shared = self.shared.as_ref().ok_or(Error::KexInit)?;
        buffer.clear();
        exchange.client_id.encode(buffer)?;
        exchange.server_id.encode(buffer)?;
        exchange.client_kex_init.encode(buffer)?;
        exchange.server_kex_init.encode(buffer)?;
        buffer.extend(key);
        exchange.client_ephemeral.encode(buffer)?;
        exchange.server_ephemeral.encode(buffer)?;
        shared.as_slice().encode(buffer)?;
        Ok(Sha512::digest(&buffer[..]).to_vec())
    }

    fn compute_keys(
        &self,
        session_id: &[u8],
        exchange_hash: &[u8],
        cipher: cipher::Name,
        remote_to_local_mac: mac::Name,
        local_to_remote_mac: mac::Name,
        is_server: bool,
    ) -> Result<cipher::CipherPair, Error> {
        let shared = self.shared.as_ref().ok_or(Error::KexInit)?;
        compute_keys::<Sha512>(
            Some(&SharedSecret::from_string(shared)?),
            session_id,
            exchange_hash,
            cipher,
            remote_to_local_mac,
            local_to_remote_mac,
            is_server,
        )
    }
}
