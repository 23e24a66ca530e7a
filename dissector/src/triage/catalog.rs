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
        PgOpcDown "pg_opc_down" Error
            "SYSTEM_EVENT or PGStatus says that the CTI Server cannot reach its PG (OPC)."
            "The CTI Server gets no events at all; clients see a silent system."
            "The PG node: OPC and MDS processes, and whether the other side took over.";
        PeripheralOffline "peripheral_offline" Error
            "SYSTEM_EVENT says that a peripheral went offline."
            "The PIM lost its peripheral; with Unified CCE, the JTAPI gateway or the CTI Manager link. Calls that end now may go on in truth."
            "Logs of PIM and JTAPI gateway, the CTI Manager node, the application user and its password.";
        PeripheralFlapping "peripheral_flapping" Error
            "A peripheral went offline and online again and again within minutes."
            "An unstable link or node, or a process that restarts in a loop."
            "Logs of PIM and JTAPI gateway, and the network between PG and Unified CM.";
        ControllerDown "controller_down" Error
            "SYSTEM_EVENT or PGStatus says that the PG lost the central controller."
            "Routing is affected for as long; calls at agents go on."
            "The router, the public network, and other PGs at that time.";
        PhoneOut "phone_out" Warn
            "SYSTEM_EVENT says that a phone went out of service, and it is not back soon."
            "Unified CM lost the phone; its agent is logged out with reason 50003."
            "The registration of that phone and its switch port.";
        PhonesLost "phones_lost" Error
            "Many phones went out of service within seconds."
            "A Unified CM node, the CTI Manager or the network of a site failed."
            "What these phones have in common: subnet, site, Unified CM node.";
        ClockSkew "clock_skew" Warn
            "The server's time is far from the capture's, moved against it, or two servers differ."
            "NTP is missing, the time was set, or a virtual machine was paused or moved; logs will not line up. The capturing host may be the wrong one."
            "NTP on PG, router and capturing host; the offset to apply when reading logs.";
    }
    "Agents" {
        LoginFailed "login_failed" Warn
            "A request to log in was refused and no login followed at once."
            "The agent, the phone or the password is not accepted; the failure code says which."
            "Extension, instrument, agent and peripheral of the request.";
        StateRequestNoEffect "state_request_no_effect" Warn
            "SET_AGENT_STATE_REQ was confirmed, but no AGENT_STATE_EVENT followed."
            "The request was swallowed, or events are cut off."
            "AgentStateMask of the session, and what other sessions saw.";
        ForcedOut "forced_out" Warn
            "An agent was logged out or made NOT_READY with a reason of the system, unasked."
            "The reason code says who did it: phone, desktop, PG or a timer."
            "The phone, the desktop and the PG of that agent at that time.";
        MassLogout "mass_logout" Error
            "Many agents were put out with the same reason of the system within seconds."
            "Something they share failed: the PG (65535, 65534), the desktop server (50002), phones or Unified CM (50003)."
            "Findings about PG, peripherals and phones, and client sessions that ended at that time.";
        DesktopLost "desktop_lost" Warn
            "SET_AGENT_STATE_REQ with reason 255: Finesse acts for an agent whose desktop it lost."
            "The browser was closed, crashed or offline; Finesse may take 3 minutes to act."
            "The agent's PC and network, and the Finesse node.";
        StuckReserved "stuck_reserved" Warn
            "An agent stays RESERVED, but no call is delivered to its phone."
            "A call was routed to the agent and the phone never got it: partition or search space, label, phone not registered, or line full."
            "Line settings of the phone; dial the label by hand; a CALL_FAILED_EVENT or reason 50010 afterwards.";
        CallsNotArriving "calls_not_arriving" Error
            "An agent was made NOT_READY with reason 50010."
            "Calls routed to the agent did not arrive, two in a row by default."
            "Line settings of the phone; dial the label by hand.";
        PrecallWithoutCall "precall_without_call" Warn
            "AGENT_PRE_CALL_EVENT announced a call that neither came nor was called off."
            "The call may have been lost on its way to the agent."
            "The routing label, the VRU and the gateway of that call.";
        RingNoAnswer "ring_no_answer" Warn
            "Calls rang at an agent who did not answer, and were taken away."
            "The agent is away, or the ring time is too short."
            "The ring time seen, against the timers of desk settings, VRU and phone.";
        RonaLoop "rona_loop" Error
            "A call that was not answered came back to the same agent, made AVAILABLE in between."
            "Timers do not fit: a ring time in desk settings puts the agent back to ready; the VRU's must be below the phone's forward time."
            "RingNoAnswerTime of AGENT_DESK_SETTINGS_CONF, and the timers of VRU and phone.";
        StateFlapping "state_flapping" Warn
            "An agent goes to and fro between AVAILABLE and NOT_READY, without a call."
            "Two applications steer one agent, or its line is faulty."
            "Which session sent which SET_AGENT_STATE_REQ.";
        TwoDesktops "two_desktops" Warn
            "An agent is steered by two clients in turn, or logs in at a second phone."
            "A second desktop; closing it may log the agent out."
            "The addresses of both clients.";
        LateStateEvent "late_state_event" Warn
            "AGENT_STATE_EVENTs came seconds after the changes they tell of, again and again."
            "Events are held up before or in the server."
            "The same changes in other sessions, and the load of the PG.";
        DuplicateAgentEvents "duplicate_agent_events" Info
            "The same change of an agent came to the same session several times at once."
            "Monitors overlap, or the server repeats itself; queues at clients grow."
            "Monitors that were started twice; service CTI_SERVICE_IGNORE_DUPLICATE_AGENT_EVENTS suppresses repeats.";
    }
    "Requests, calls, data" {
        Unanswered "request_unanswered" Warn
            "A request got no answer within the reply wait, though the session went on."
            "Server or PIM lost the request; after a handover the answer may come from the other side."
            "The state of the peripheral, a change of sides, and whether TCP acknowledged the request.";
        RequestSlow "request_slow" Warn
            "Answers took seconds, or many times longer than is usual in the capture."
            "PIM, JTAPI gateway or Unified CM are slow."
            "Whether all requests are slow (server) or call control only (Unified CM).";
        ControlFailure "control_failure" Warn
            "Control requests were refused by CONTROL_FAILURE_CONF."
            "The failure code and the peripheral's error code say why."
            "The states of call and agent when the request left.";
        RequestRejected "request_rejected" Warn
            "Requests were refused by FAILURE_CONF."
            "The status says why: bytes that the server does not accept (2, 3, 23 to 31, 48, 49), or a service that was not granted (12)."
            "The bytes at fault, the version of the session, and the services it was granted.";
        DuplicateRequest "duplicate_request" Info
            "The same request came twice within moments, or two open requests share an InvokeID."
            "A double click, or a client that tries again by itself."
            "The log of the client.";
        CallFailed "call_failed" Warn
            "A call failed: CALL_FAILED_EVENT or connection state FAIL."
            "The cause says whether the number, the destination or the capacity was at fault."
            "The number dialed, the gateway and the trunks.";
        CallNeverEnded "call_never_ended" Info
            "A call began and is long over, or goes on for hours, without END_CALL_EVENT."
            "The event was lost; the client keeps a ghost of the call."
            "SNAPSHOT_CALL_REQ for that call, and what other sessions saw of it.";
        CallEventOrder "call_event_order" Warn
            "An event of a call came before its BEGIN_CALL_EVENT or after its END_CALL_EVENT."
            "The documented order is broken; often the capture is at fault."
            "Gaps in the capture, and a second call with the same number.";
        TransferFailed "transfer_failed" Warn
            "A transfer, conference or consultation call failed, had no effect, or lost the caller."
            "Connections in the wrong state, a busy destination, or a party that hung up."
            "The states of both calls at the request.";
        MediaSuspect "media_suspect" Warn
            "Answered calls end at once again and again, or lack the media that other calls have."
            "There may be no audio: headset, codec, region or network."
            "The RTP addresses, codec and region of the phone.";
        DataMissing "data_missing" Warn
            "A routed call has neither call variables nor a router call key."
            "The call came outside the routed path, or the script sets nothing."
            "The path of the call and its routing script.";
        DataUpdateLost "data_update_lost" Warn
            "Call data were set, but no CALL_DATA_UPDATE_EVENT tells of them, or no answer came at all."
            "Some bad updates are only logged by the server."
            "Names and lengths of the variables against the configuration.";
        DataTruncated "data_truncated" Warn
            "Call data came back shorter than they were sent, or are longer than allowed."
            "The server cuts named variables at their configured length, and call variables at 40 bytes, silently."
            "The configured maximum of that variable.";
        EccNearLimit "ecc_near_limit" Info
            "Named variables of a call come near the limit of 2000 bytes, or vanish with an update."
            "One more variable fails with status 73; an update replaces the whole set."
            "The configured payload, and who wrote last.";
        FeatureFailed "feature_failed" Info
            "A network recording or an agent greeting failed."
            "The recorder or the media fork is at fault, or the greeting could not be played."
            "The recorder or the media server, and the error code.";
    }
    "Network and capture" {
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
