//! docker-registry in every guise, and every command that speaks to it.
//!
//! What each guise is, is in [`testbed::Guise`]. The tests here are written once and run in each of
//! them; what one guise has for itself is in a file of its own.

mod body_cap;
mod copy;
mod delete;
mod layout;
mod login;
mod move_image;
mod referrers;
mod secrets;
mod site;
mod tags;
mod tokens;

use site::Site;

/// Makes a test of each function in each guise; a function takes a [`Site`].
macro_rules! in_each_guise {
    ($functions:tt) => {
        $crate::registries::in_guise!(open, testbed::Guise::Open, $functions);
        $crate::registries::in_guise!(
            htpasswd,
            testbed::Guise::Htpasswd($crate::registries::site::SOMEBODY),
            $functions
        );
        $crate::registries::in_guise!(
            token_server,
            testbed::Guise::Tokens(testbed::TokenRules::of($crate::registries::site::SOMEBODY)),
            $functions
        );
        $crate::registries::in_guise!(private_ca, testbed::Guise::PrivateCa, $functions);
        $crate::registries::in_guise!(
            client_certificate,
            testbed::Guise::ClientCertificate,
            $functions
        );
    };
}

/// A module of tests: each of these functions in one guise.
macro_rules! in_guise {
    ($name:ident, $guise:expr, [$($function:ident),* $(,)?]) => {
        mod $name {
            $(
                #[test]
                fn $function() -> testbed::Result {
                    super::$function(&$crate::registries::Site::new($guise)?)
                }
            )*
        }
    };
}

use {in_each_guise, in_guise};
