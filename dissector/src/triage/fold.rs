//! What explains what: a cause takes up the effects that follow from it.

use super::Code;
use super::sighting::Sighting;
use crate::finding::Severity;

/// Whether a code can explain others.
pub(super) const fn is_cause(code: Code) -> bool {
    matches!(
        code,
        Code::PgOpcDown
            | Code::PeripheralOffline
            | Code::PhonesLost
            | Code::PhoneOut
            | Code::ServerGone
            | Code::ServerNotice
            | Code::HeartbeatLost
            | Code::HeartbeatRefused
            | Code::SideFailover
            | Code::SlowReader
            | Code::IdleTimeout
    )
}

/// Whether one sighting explains another that came within the time for it (see `Thresholds::fold`).
pub(super) fn explains(cause: &Sighting, effect: &Sighting) -> bool {
    match cause.code {
        // One that was down when the session was opened explains nothing that comes later.
        Code::PgOpcDown | Code::PeripheralOffline if cause.severity < Severity::Error => false,
        Code::PgOpcDown => is_of_plant(effect.code) || effect.code == Code::PeripheralOffline,
        Code::PeripheralOffline => is_of_plant(effect.code),
        Code::PhonesLost => {
            let one_of_them = effect.code == Code::PhoneOut;
            one_of_them || (is_of_phones(effect.code) && effect.agent.is_some())
        }
        // A phone that is back soon is no cause that anybody would look at.
        Code::PhoneOut if cause.severity >= Severity::Warn => {
            is_of_phones(effect.code) && effect.agent.is_some() && effect.agent == cause.agent
        }
        // Without its server a client loses everything, and comes back elsewhere.
        Code::ServerGone => {
            is_of_plant(effect.code)
                || matches!(
                    effect.code,
                    Code::SessionCut
                        | Code::SideFailover
                        | Code::ServerNotice
                        | Code::HeartbeatRefused
                        | Code::ClosedWithError
                        | Code::OpenRefused
                        | Code::TcpRefused
                        | Code::OpenUnanswered
                        | Code::Unanswered
                )
        }
        // What the client of this session does about it.
        Code::ServerNotice | Code::HeartbeatLost | Code::HeartbeatRefused | Code::SlowReader => {
            cause.session == effect.session
                && matches!(
                    effect.code,
                    Code::SessionCut
                        | Code::ClosedWithError
                        | Code::HeartbeatRefused
                        | Code::Unanswered
                )
        }
        // What became of the old session.
        Code::SideFailover | Code::IdleTimeout => {
            cause.session == effect.session && matches!(effect.code, Code::SessionCut)
        }
        _ => false,
    }
}

/// What happens to agents, calls and requests when their peripheral is gone.
const fn is_of_plant(code: Code) -> bool {
    is_of_phones(code)
        || matches!(
            code,
            Code::PhoneOut
                | Code::PhonesLost
                | Code::Unanswered
                | Code::RequestSlow
                | Code::StateRequestNoEffect
                | Code::TransferFailed
                | Code::CallEventOrder
                | Code::CallNeverEnded
                | Code::DataUpdateLost
                | Code::DataMissing
                | Code::LateStateEvent
        )
}

/// What happens to agents and calls when their phones are gone.
const fn is_of_phones(code: Code) -> bool {
    matches!(
        code,
        Code::ForcedOut
            | Code::MassLogout
            | Code::LoginFailed
            | Code::ControlFailure
            | Code::CallFailed
            | Code::CallsNotArriving
            | Code::StuckReserved
            | Code::PrecallWithoutCall
            | Code::RingNoAnswer
            | Code::MediaSuspect
    )
}
