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
        TcpRefused "tcp_refused" Error
            "A connection to a CTI port was answered by RST, or its SYN was sent three times without an answer."
            "No CTI Server runs there, the port or instance is wrong, or a firewall is in the way."
            "The CTI Server process of that PG side, its port (42027 or 43027, plus 40 for each instance), firewalls.";
        OpenUnanswered "open_unanswered" Error
            "OPEN_REQ got no answer, or a late one. It is an error after 30 s, or 60 s with more than 500 clients."
            "The server may be busy with many clients that reconnect, or what listens there is no CTI Server."
            "CPU of the PG, the log of CTI Server, other sessions that open at the same time.";
        OpenRefused "open_refused" Error
            "OPEN_REQ was answered by FAILURE_CONF."
            "The server does not want this client, or not now; the status says why."
            "The meaning of the status, and the fields of that OPEN_REQ.";
        OpenBadCredentials "open_bad_credentials" Error
            "OPEN_REQ was refused with status 36."
            "ClientID or password is wrong; an empty password passes only where the server does not ask for one."
            "The login setting of CTI Server, the account of that client, and from which address it comes.";
        OpenVersionRejected "open_version_rejected" Error
            "OPEN_REQ was refused with status 1: the server does not speak that version."
            "The client is newer than the server; a side may not be upgraded, or was rolled back."
            "The releases of both PG sides and of all client nodes, and the version setting of the client.";
        OpenDeviceConflict "open_device_conflict" Error
            "OPEN_REQ was refused with status 10 or 32."
            "10: another client has this phone, often by a session that crashed and has not timed out yet. 32: extension, agent and instrument do not belong together."
            "CLIENT_SESSION_OPENED_EVENTs for that extension, and how the device is configured.";
        OpenBadRequest "open_bad_request" Error
            "OPEN_REQ was refused because of a field of its own."
            "The client asks in a way that this server does not take."
            "The field that is named, in the configuration or the code of the client.";
        OpenLoop "open_loop" Error
            "A client opened three times or more within 60 s, and no session lasted."
            "It is refused for good and does not wait between its tries, or two of its kind throw each other out."
            "The first refusal, and how many processes of that client run.";
        SessionReplaced "session_replaced" Warn
            "A session ended, or was taken over, because the same client or device opened another one (status 11)."
            "The client opened again without closing, or one identity is used twice."
            "Both client addresses.";
        ServicesReduced "services_reduced" Warn
            "OPEN_CONF grants less than OPEN_REQ asked for."
            "Requests for what is missing will fail with status 12."
            "What CTI Server is configured to grant, and which requests failed later.";
        MasksBlind "masks_blind" Info
            "The client asked for events, but its masks leave out some that most clients need, and it starts no monitors."
            "Events that seem to be missing are not sent because the client does not want them."
            "CallMsgMask and AgentStateMask of OPEN_REQ.";
        OpenedDegraded "opened_degraded" Warn
            "OPEN_CONF says that part of the PG, or the peripheral asked for, is down."
            "The session opened while something behind it was off line."
            "What SYSTEM_EVENTs of this session say, and when it came back.";
        TlsSession "tls_session" Info
            "A session is encrypted by TLS."
            "Its messages are not judged; handshake, lengths and timing still are."
            "Capture on the plain port where that is open, or where TLS ends.";
        TlsFailed "tls_failed" Error
            "TLS ended by alert, RST or FIN before any application data."
            "A certificate may be untrusted, expired or for another name, or both ends have no TLS version or cipher in common."
            "The alert, the trust stores of both ends, their clocks, and how long certificates are valid.";
        TlsPortMixup "tls_port_mixup" Error
            "One end speaks TLS and the other one plain CTI."
            "One end is set to secured connections, the other one is not, or the port belongs to the other kind."
            "Ports (42027 and 43027 plain, 42030 and 43030 secured) and the setting for secured connections at both ends.";
        CleartextSecret "cleartext_secret" Info
            "A plain session carries a password."
            "Whoever has the capture can read it; it is never shown here."
            "Use the secured port, and redact captures before sharing them.";
    }
    "Life and end of a session" {
        HeartbeatLost "heartbeat_lost" Error
            "A heartbeat was not answered before the next one was due. Three in a row are an error: clients then reset."
            "The server hangs if it still acknowledges (CPU, disk, a snapshot or move of its VM); otherwise the path is broken."
            "Whether other messages still came, performance counters of the PG, the log of CTI Server at that second.";
        HeartbeatSlow "heartbeat_slow" Warn
            "Heartbeats were answered after more than 1 s and ten times the usual time, three times within 10 min."
            "The server stalls now and then; heartbeats may be lost next."
            "Whether other sessions stall at the same time (then it is the server) or this one alone.";
        HeartbeatRefused "heartbeat_refused" Error
            "A heartbeat was answered by FAILURE_CONF."
            "The server is off line; the client has to reset and look for the other side."
            "Which side is active, and what happened on this PG side.";
        IdleTimeout "idle_timeout" Error
            "The server ended a session after its IdleTimeout without a message of the client."
            "The client hung, or its messages were lost on the way."
            "Whether the client sent segments that were not acknowledged; whether it paused (debugger, sleep, garbage collection).";
        HeartbeatSettings "heartbeat_settings" Warn
            "IdleTimeout is below four heartbeat intervals; or, as info, there is neither IdleTimeout nor heartbeat in a silent session."
            "One lost message can end the session; or nobody would notice a dead peer or a firewall that forgot the connection."
            "The client's settings: heartbeats of 5 s for servers, 90 s or more for desktops, and four times that as IdleTimeout.";
        SilentDrop "silent_drop" Error
            "After minutes of silence the next segment met RST or no acknowledgement, and the client had to connect again."
            "A firewall or address translation may have forgotten the idle connection; round ages (300, 1800, 3600 s) point to it."
            "Time-outs of firewalls in between; heartbeat intervals must be shorter.";
        SessionCut "session_cut" Warn
            "A session ended by RST or FIN without CLOSE_REQ."
            "By the client: it crashed, or gave up after a time-out of its own. By the server: its process ended or it changed sides."
            "The last messages before it, heartbeats, and who ended it.";
        ServerGone "server_gone" Error
            "A server ended three sessions or more, or all it had, within 2 s."
            "CTI Server stopped or changed sides; all its clients are then closed."
            "The PG side, restarts of its services, and where the clients went.";
        ServerNotice "server_notice" Error
            "FAILURE_EVENT with status 15: the server is off line."
            "The server cannot work and wants the client to close."
            "PGStatus before it, and whether the client went to the other side.";
        ServerErrorEvent "server_error_event" Warn
            "FAILURE_EVENT with a status of its own."
            "67 and 68: a variable that the client uses was removed. 90: a monitor ended."
            "Whether the configuration was changed at that time.";
        ClosedWithError "closed_with_error" Warn
            "CLOSE_REQ with status 15 or 16."
            "The client gave up: the server was off line, or did not answer in time."
            "The request before it that was not answered.";
    }
    "Side A, side B, maintenance" {
        SideFailover "side_failover" Warn
            "A client lost its session on one side and opened one on the other side."
            "The active server or the path to it was lost. What happened in between is not told later; calls inside the gap leave no trace."
            "How long the gap was, which calls and agents it touched, and what ended the old session.";
        FailoverPingpong "failover_pingpong" Error
            "A client changed sides three times or more within 15 min."
            "The network is unstable, the servers are overloaded, or their security settings differ."
            "Heartbeats and loss on both sides.";
        NoServer "no_server" Error
            "A client tried both sides for a minute and none accepted it."
            "The PG pair is down, or this client is cut off from it."
            "What is found about opening sessions on either side.";
        StandbyRefused "standby_refused" Warn
            "A standby server sent a client away again and again for 5 min, and the client did not try the other side."
            "The client is below version 24, or does not ask for the active and standby service (0x02000000)."
            "Whether the client knows the addresses of both sides.";
        RequestOnStandby "request_on_standby" Error
            "A client sent a request to a standby server, which answers OPEN_REQ, HEARTBEAT_REQ and CLOSE_REQ only."
            "The client does not look at SessionType."
            "The release of the client.";
        DualActive "dual_active" Error
            "Both sides of a pair send events of the same peripheral, or both say that they are active."
            "The pair runs as two PGs that do not see each other; after an install or upgrade often by wrong PG ports."
            "OPC status on both sides, the private link, MDS ports.";
        MaintenanceHandover "maintenance_handover" Info
            "The clients were moved to the other side as planned."
            "Somebody put this side into maintenance; nothing should be lost."
            "How long the steps took.";
        MaintenanceRefused "maintenance_refused" Warn
            "A client refused to move to the other side, or did not answer in time."
            "One refusal, or silence, calls the move off for all clients."
            "Release and load of that client.";
        MaintenanceBroken "maintenance_broken" Error
            "A move to the other side was decided, but a client did not complete it, or still asked the old side."
            "The client has no session with the standby side, or is not ready for such moves."
            "The client's session with the standby side, and how its sessions ended.";
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
        WrongAnswer "wrong_answer" Warn
            "A request was answered by a message of another kind."
            "The server mixed up answers, or the client used one InvokeID for two requests."
            "Which other request had that InvokeID, and the release of the server.";
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
        SlowReader "slow_reader" Error
            "An end kept its receive window closed for 5 s, or three times for 1 s."
            "It does not read what it gets: a blocked thread, a debugger, no CPU. Servers may drop such clients."
            "CPU and threads of that process, and whether RST followed.";
        Loss "loss" Warn
            "More than 1 % of the segments of a direction were sent again, or one was sent again three times without being acknowledged."
            "The network loses packets, which delays all that comes behind them."
            "The path between the two, duplex settings, the WAN.";
        MtuBlackhole "mtu_blackhole" Error
            "Large segments were sent again and again without being acknowledged, while smaller ones passed."
            "A tunnel or VPN on the path may have a smaller MTU; large messages (configuration, call variables) show it first."
            "Segment sizes that both SYNs announce, the path MTU, filters that drop ICMP.";
        NagleDelay "nagle_delay" Info
            "Small messages were sent only when the one before was acknowledged, again and again."
            "Nagle's algorithm meets delayed acknowledgements; clients are asked to switch it off."
            "TCP_NODELAY of the sender.";
        CaptureLimits "capture_limits" Info
            "Part of the traffic is not in the capture: one direction only, missing bytes, cut messages, or sessions that began before."
            "What is not captured is not judged: nothing counts as missing there."
            "The snap length, the place of the capture, and whether it dropped packets.";
        BadFraming "bad_framing" Error
            "Bytes that are no messages, messages of an unknown type, or longer than the protocol allows."
            "This is no CTI, another version's layout, or a fault of the sender. Right behind a gap it says little."
            "The port, and which version the session was opened with.";
        ProtocolViolation "protocol_violation" Warn
            "A message breaks the rules of the protocol: tags, counts, lengths, or, as info, numbers outside their tables."
            "The sender is at fault. Servers refuse such requests; what a server sends may be misread by its clients."
            "The offset that is named, and the release of the sender.";
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
