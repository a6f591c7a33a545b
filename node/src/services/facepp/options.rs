//! The settings of `facepp/1`.

use std::net::IpAddr;

use serde::{Deserialize, Serialize, de::Deserializer};

use crate::{
    config::{Allow, Checked, Section, ValueError, between, shown},
    say::{Reason, reasons},
};

/// The `[facepp]` section: asking Face++ with the owner's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The address of the API; a key belongs to one region. Default: mainland China.
    #[serde(deserialize_with = "base")]
    pub base: String,
    /// Who may use it. Default: `contacts`.
    pub allow: Allow,
    /// How many calls a day may cost, 0 to 1000000; the day is UTC. Default: 500.
    #[serde(deserialize_with = "between::<_, _, 0, 1_000_000>")]
    pub daily_calls: u32,
    /// How many calls the key allows at once, 1 to 100. Default: 1.
    #[serde(deserialize_with = "between::<_, _, 1, 100>")]
    pub at_once: u16,
}

impl Section for Options {
    const NAME: &'static str = "facepp";
    const TEMPLATE: &'static str = r#"# Faces through the Face++ API, for nodes whose owner has a key. The key and its secret never
# stand here: they are in the environment (POTLUCK_FACEPP_KEY, POTLUCK_FACEPP_SECRET) or in the
# file facepp.key in this folder, key and secret on a line each, readable by you alone (mode 0600).
# The address of the API; a key belongs to one region (the other: https://api-us.faceplusplus.com).
#base = "https://api-cn.faceplusplus.com"

# Who may use it, since it may cost you money: "contacts" (those below), "everyone", "nobody",
# or a list of client ids. You yourself always may.
#allow = "contacts"

# How many calls a day may be made with your key, for all together; the day is UTC.
#daily_calls = 500

# How many calls your key allows at once. 1 to 100.
#at_once = 1"#;
}

impl Default for Options {
    fn default() -> Self {
        Options {
            base: "https://api-cn.faceplusplus.com".to_owned(),
            allow: Allow::Contacts,
            daily_calls: 500,
            at_once: 1,
        }
    }
}

/// Checks the address of an API that is given a secret: `https`, or this machine itself.
pub fn base_address(text: &str) -> Result<String, ValueError> {
    let wrong = |reason: Reason| ValueError::Base { text: shown(text), reason };
    let url = reqwest::Url::parse(text).map_err(|e| wrong(e.to_string().into()))?;
    if !url.username().is_empty() || url.password().is_some() {
        // What may be a secret is not repeated.
        let text = format!("{}://…@{}", url.scheme(), url.host_str().unwrap_or_default());
        return Err(ValueError::Base { text, reason: reasons::base_user() });
    }
    let here = match url.host_str().unwrap_or_default() {
        "localhost" => true,
        host => host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && here) {
        return Err(wrong(reasons::base_unprotected()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(reasons::base_tail()));
    }
    // As it was understood, not as it was written.
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn base<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_str(Checked(base_address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_only_where_nobody_listens() {
        for good in [
            "https://api-cn.faceplusplus.com",
            "https://api-us.faceplusplus.com/",
            "https://proxy.example/facepp",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://localhost",
        ] {
            assert_eq!(base_address(good).as_deref(), Ok(good.trim_end_matches('/')));
        }
        for odd in ["HTTP://localhost", " http://localhost", "http:/localhost"] {
            assert_eq!(base_address(odd).as_deref(), Ok("http://localhost"), "{odd}");
        }
        let error = base_address("https://me:secret@api-cn.faceplusplus.com").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        for bad in [
            "",
            "api-cn.faceplusplus.com",
            "http://api-cn.faceplusplus.com",
            "http://127.0.0.1.example.com",
            "http://192.168.1.2",
            "ftp://localhost",
            "https://me:secret@api-cn.faceplusplus.com",
            "https://api-cn.faceplusplus.com?x=1",
        ] {
            assert!(base_address(bad).is_err(), "{bad}");
        }
    }
}
