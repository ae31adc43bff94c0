//! Chooses the proxy for a target; after a redirect the choice may differ.

use crate::error::Result;
use crate::transport::proxy::{self, Credentials, Proxy};
use crate::transport::{Target, TlsOptions};

/// The rules.
#[derive(Clone, Debug)]
pub struct Proxies {
    /// The proxy for all targets, or none for all; if it wasn't typed, the environment decides.
    pub typed: Option<Option<Proxy>>,
    /// The targets that need no proxy; see [`proxy::is_excepted`].
    pub excepted: Option<String>,
    /// The login, if it isn't the one in the proxy's URL.
    pub credentials: Option<Credentials>,
    /// For an `https://` proxy.
    pub tls: TlsOptions,
    /// The value of an environment variable.
    pub environment: fn(&str) -> Option<String>,
}

impl Default for Proxies {
    /// No proxy.
    fn default() -> Proxies {
        Proxies {
            typed: Some(None),
            excepted: None,
            credentials: None,
            tls: TlsOptions::default(),
            environment: |_| None,
        }
    }
}

impl Proxies {
    /// The target's proxy.
    ///
    /// # Errors
    /// Exit 2 for a variable that names no proxy.
    pub fn choose(&self, target: &Target) -> Result<Option<Proxy>> {
        let excepted = self.excepted.as_deref();
        if excepted.is_some_and(|list| proxy::is_excepted(list, &target.host, target.port)) {
            return Ok(None);
        }
        let chosen = match &self.typed {
            Some(typed) => typed.clone(),
            None => proxy::from_environment(target, &self.environment)?,
        };
        Ok(chosen.map(|mut proxy| {
            if self.credentials.is_some() {
                proxy.credentials.clone_from(&self.credentials);
            }
            proxy.tls = self.tls.clone();
            proxy
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_its_own() {
        let proxies = Proxies {
            typed: None,
            excepted: Some("inside".to_owned()),
            environment: |name| (name == "wss_proxy").then(|| "http://p:3128".to_owned()),
            ..Proxies::default()
        };
        for (url, expected) in [
            ("wss://outside/", Some("http://p:3128")),
            ("wss://inside/", None),
            ("ws://outside/", None),
        ] {
            let (target, _) = Target::parse(url).unwrap();
            let chosen = proxies.choose(&target).unwrap().map(|proxy| proxy.to_string());
            assert_eq!(chosen.as_deref(), expected, "{url}");
        }
    }
}
