//! The table of what triage can find: the one place where a code, its severity and its words stand. docs/findings.md is made from it.

use crate::finding::Severity;
use std::fmt;

macro_rules! catalog {
    ($($section:literal { $($variant:ident $name:literal $severity:ident $seen:literal $means:literal $check:literal;)* })*) => {
        /// What triage can find. The snake_case names are stable: scripts may rely on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $seen] $variant,)*)*
        }

        impl Code {
            /// All codes, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$variant => $name,)*)* }
            }

            /// How much it matters where nothing makes it better or worse.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $($(Self::$variant => Severity::$severity,)*)* }
            }

            /// What is seen on the wire.
            #[must_use]
            pub const fn seen(self) -> &'static str {
                match self { $($(Self::$variant => $seen,)*)* }
            }

            /// What it usually means.
            #[must_use]
            pub const fn means(self) -> &'static str {
                match self { $($(Self::$variant => $means,)*)* }
            }

            /// What to check next.
            #[must_use]
            pub const fn check(self) -> &'static str {
                match self { $($(Self::$variant => $check,)*)* }
            }

            /// The heading under which it is documented.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self { $($(Self::$variant => $section,)*)* }
            }
        }
    };
}

catalog! {
    "Opening a session" {
        OpenRefused "open_refused" Error
            "OPEN_REQ was answered by FAILURE_CONF."
            "The server does not want this client, or not now; the status says why."
            "The meaning of the status, and the fields of that OPEN_REQ.";
    }
    "Life and end of a session" {
    }
    "Side A, side B, maintenance" {
    }
    "PG, peripherals, phones, clocks" {
        PeripheralOffline "peripheral_offline" Error
            "SYSTEM_EVENT says that a peripheral went offline."
            "The PIM lost its peripheral; with Unified CCE, the JTAPI gateway or the CTI Manager link."
            "Logs of PIM and JTAPI gateway, the CTI Manager node, the application user and its password.";
    }
    "Agents" {
    }
    "Requests, calls, data" {
        Unanswered "request_unanswered" Warn
            "A request got no answer within the reply wait, though the session went on."
            "The server lost the request, or is too slow for it."
            "Whether other requests were answered at that time, and the state of the peripheral.";
    }
    "Network and capture" {
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
