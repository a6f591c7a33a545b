//! The list of services of a node, with their types erased.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc};

use super::{Capability, Context, Service, Standing};
use crate::{
    protocol::{self, Fault, FaultKind},
    say::reasons,
};

/// A service behind CBOR bytes. Implemented for every [`Service`].
pub trait DynService: Send + Sync {
    /// See [`Service::capability`].
    fn capability(&self) -> Capability;
    /// See [`Service::standing`].
    fn standing(&self) -> Option<Standing>;
    /// See [`Service::loading`].
    fn loading(&self) -> bool;
    /// See [`Service::trouble`].
    fn trouble(&self) -> Option<String>;
    /// See [`Service::stay`].
    fn stay(&self);
    /// See [`Service::offered`].
    fn offered(&self) -> bool;
    /// See [`Service::configured`].
    fn configured(&self) -> bool;
    /// See [`Service::max_input`].
    fn max_input(&self) -> Option<u64>;
    /// See [`Service::call`].
    fn call<'a>(
        &'a self,
        cx: &'a Context,
        args: &'a [u8],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, Fault>> + Send + 'a>>;
    /// [`Service::examples`] with encoded requests.
    fn examples(&self) -> Vec<EncodedExample>;
    /// Whether an encoded response is one of this capability.
    fn reads(&self, body: &[u8]) -> bool;
    /// Turns an encoded response into JSON.
    fn to_json(&self, body: &[u8]) -> Result<serde_json::Value, Fault>;
}

/// An example with its request in CBOR.
pub struct EncodedExample {
    /// The arguments.
    pub args: Vec<u8>,
    /// The bytes that go with them.
    pub input: Option<Vec<u8>>,
    /// See [`super::Example::check`].
    pub check: fn(&serde_json::Value) -> Result<(), String>,
}

impl<S: Service> DynService for S {
    fn capability(&self) -> Capability {
        Service::capability(self)
    }

    fn standing(&self) -> Option<Standing> {
        Service::standing(self)
    }

    fn loading(&self) -> bool {
        Service::loading(self)
    }

    fn trouble(&self) -> Option<String> {
        Service::trouble(self)
    }

    fn stay(&self) {
        Service::stay(self);
    }

    fn offered(&self) -> bool {
        Service::offered(self)
    }

    fn configured(&self) -> bool {
        Service::configured(self)
    }

    fn max_input(&self) -> Option<u64> {
        Service::max_input(self)
    }

    fn call<'a>(
        &'a self,
        cx: &'a Context,
        args: &'a [u8],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, Fault>> + Send + 'a>> {
        Box::pin(async move {
            let request = protocol::decode(args).map_err(|e| {
                let why = reasons::request_misfit(e.to_string());
                Fault::new(FaultKind::NotUnderstood, why)
            })?;
            let response = Service::call(self, cx, request).await?;
            protocol::encode(&response).map_err(|e| Fault::internal(e.to_string()))
        })
    }

    fn examples(&self) -> Vec<EncodedExample> {
        Service::examples(self)
            .into_iter()
            .filter_map(|example| {
                let args = protocol::encode(&example.request).ok()?;
                Some(EncodedExample { args, input: example.input, check: example.check })
            })
            .collect()
    }

    fn reads(&self, body: &[u8]) -> bool {
        protocol::decode::<S::Response>(body).is_ok()
    }

    fn to_json(&self, body: &[u8]) -> Result<serde_json::Value, Fault> {
        let response: S::Response =
            protocol::decode(body).map_err(|e| Fault::internal(e.to_string()))?;
        serde_json::to_value(response).map_err(|e| Fault::internal(e.to_string()))
    }
}

/// Two services cannot share a name, and a name carries a version.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Registered twice.
    #[error("the capability {0} is registered twice")]
    Twice(&'static str),
    /// Not `name/version`.
    #[error("the capability name {0} is not of the form name/1")]
    Name(&'static str),
}

/// The services of a node, by name.
#[derive(Clone, Default)]
pub struct Registry {
    services: BTreeMap<&'static str, Arc<dyn DynService>>,
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a service.
    pub fn with(mut self, service: impl Service) -> Result<Self, RegistryError> {
        let name = Service::capability(&service).name;
        let versioned = name
            .split_once('/')
            .is_some_and(|(head, version)| !head.is_empty() && version.parse::<u16>().is_ok());
        if !versioned {
            return Err(RegistryError::Name(name));
        }
        if self.services.insert(name, Arc::new(service)).is_some() {
            return Err(RegistryError::Twice(name));
        }
        Ok(self)
    }

    /// Keeps only the services whose name passes.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.services.retain(|name, _| keep(name));
    }

    /// The service of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn DynService>> {
        self.services.get(name)
    }

    /// What its owner set up and cannot serve, with the reason.
    pub fn troubles(&self) -> Vec<(&'static str, String)> {
        let set_up = self.iter().filter(|(_, service)| service.configured());
        set_up.filter_map(|(name, service)| Some((name, service.trouble()?))).collect()
    }

    /// All services in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Arc<dyn DynService>)> {
        self.services.iter().map(|(name, service)| (*name, service))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::Repeat,
        service::{Example, Kind},
    };

    struct Named(&'static str);

    impl Service for Named {
        type Request = ();
        type Response = ();
        fn capability(&self) -> Capability {
            let (input, output) = (Kind::Text, Kind::Text);
            Capability { name: self.0, summary: "test", input, output, repeat: Repeat::Safe }
        }
        fn standing(&self) -> Option<Standing> {
            None
        }
        async fn call(&self, _: &Context, (): ()) -> Result<(), Fault> {
            Ok(())
        }
        fn examples(&self) -> Vec<Example<()>> {
            vec![]
        }
    }

    #[test]
    fn names_are_unique_and_versioned() {
        assert!(Registry::new().with(Named("a/1")).and_then(|r| r.with(Named("a/2"))).is_ok());
        let twice = Registry::new().with(Named("a/1")).and_then(|r| r.with(Named("a/1")));
        assert!(matches!(twice, Err(RegistryError::Twice("a/1"))));
        for bad in ["a", "a/", "/1", "a/x"] {
            assert!(
                matches!(Registry::new().with(Named(bad)), Err(RegistryError::Name(_))),
                "{bad}"
            );
        }
    }
}
