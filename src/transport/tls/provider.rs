//! The cryptography that TLS uses, chosen when wstap is built (`[features]` in Cargo.toml).

#[cfg(feature = "aws-lc-rs")]
pub(super) use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
#[cfg(feature = "aws-lc-rs")]
pub use rustls::crypto::aws_lc_rs::default_provider;

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
pub(super) use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
pub use rustls::crypto::ring::default_provider;

#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
compile_error!("TLS needs a provider: build with the feature `ring` (the default) or `aws-lc-rs`");
