//! Consents, legal bases, and the recordings that they allow.

use super::Event;
use super::apply::{
    Outcome, check_nonce, outlet_of_owner, require_signer, terminal_of_outlet, till_of_outlet,
};
use super::changes::Overlay;
use crate::consent::{Consent, Grounds, Purpose, VideoDay};
use crate::eip712::WitnessedConsent;
use crate::limits::{
    BASES_PER_CAMERA_MAX, BASIS_MS_MAX, CAMERA_MAX, CONSENT_MS_MAX, CONSENTS_PER_CAMERA_MAX,
    CONSENTS_PER_DAY_MAX, RECORDING_MS_MAX, RECORDING_TOLERANCE_MS, RECORDINGS_PER_DAY_MAX,
    RETENTION_DAYS_MAX, SEQUENCE_MAX,
};
use crate::outlet::OutletId;
use crate::recording::{Erased, Pinned, Recording, RecordingEntry};
use crate::rejection::Rejection;
use crate::transaction::{
    EraseRecording, PinRecording, RecordConsent, RecordLegalBasis, RevokeConsent,
};
use alloy_primitives::{Address, B256};

fn agent_of_outlet(
    state: &Overlay<'_>,
    address: Address,
    outlet: OutletId,
) -> Result<(), Rejection> {
    let terminal = terminal_of_outlet(state, address, outlet)?;
    if terminal.kind.sells() {
        return Err(Rejection::WrongTerminalKind {
            terminal: address,
            expected: "video_agent",
            found: terminal.kind,
        });
    }

    Ok(())
}

/// The guest may be a key that nobody has seen: the terminal's signature is what keeps such keys from filling the
/// ledger, and it is looked at only after the terminal was.
pub(super) fn record_consent(
    state: &mut Overlay<'_>,
    t: &RecordConsent,
    tx_id: B256,
    signer: Address,
) -> Outcome {
    require_signer("the guest", t.guest, signer)?;
    if let Some(consent) = state.consent(tx_id) {
        return Err(Rejection::AlreadyIncluded {
            height: consent.height,
        });
    }

    till_of_outlet(state, t.witness, t.outlet)?;
    let digest = state
        .ledger()
        .domain()
        .consent_witness_digest(&WitnessedConsent::from(t));
    if t.witness_signature.recover(digest) != Ok(t.witness) {
        return Err(Rejection::BadWitnessSignature {
            expected: t.witness,
        });
    }

    check_camera(t.camera)?;
    check_until(state, t.until_ms, CONSENT_MS_MAX)?;

    let grounds = Grounds::Guest {
        purposes: t.purposes,
        commitment: t.commitment,
        guest: t.guest,
        witness: t.witness,
    };
    let room = room_for_consent(state, (t.outlet, t.camera), true, CONSENTS_PER_CAMERA_MAX)?;
    let consent = new_consent(state, (t.outlet, t.camera), grounds, t.until_ms);
    Ok(vec![put_consent(state, tx_id, consent, room)])
}

pub(super) fn record_legal_basis(
    state: &mut Overlay<'_>,
    t: &RecordLegalBasis,
    tx_id: B256,
    signer: Address,
) -> Outcome {
    outlet_of_owner(state, t.outlet, signer)?;
    check_camera(t.camera)?;
    if t.retention_days == 0 || t.retention_days > RETENTION_DAYS_MAX {
        return Err(Rejection::RetentionOutOfBounds {
            max: RETENTION_DAYS_MAX,
            found: t.retention_days,
        });
    }
    check_until(state, t.until_ms, BASIS_MS_MAX)?;
    let room = room_for_consent(state, (t.outlet, t.camera), false, BASES_PER_CAMERA_MAX)?;
    check_nonce(state, signer, t.nonce)?;

    let (kind, notice_hash, retention_days) = (t.kind, t.notice_hash, t.retention_days);
    let grounds = Grounds::Basis {
        kind,
        notice_hash,
        retention_days,
        owner: signer,
    };
    let consent = new_consent(state, (t.outlet, t.camera), grounds, t.until_ms);

    state.account_mut(signer).nonce = t.nonce;
    Ok(vec![put_consent(state, tx_id, consent, room)])
}

/// Numbers that readers keep in 63 bits must fit, whoever signs them.
fn check_camera(found: u64) -> Result<(), Rejection> {
    if found > CAMERA_MAX {
        Err(Rejection::CameraOutOfBounds {
            max: CAMERA_MAX,
            found,
        })
    } else {
        Ok(())
    }
}

fn check_until(state: &Overlay<'_>, found: u64, ahead_max_ms: u64) -> Result<(), Rejection> {
    let (min, max) = (
        state.time_ms().saturating_add(1),
        state.time_ms().saturating_add(ahead_max_ms),
    );
    if (min..=max).contains(&found) {
        Ok(())
    } else {
        Err(Rejection::UntilOutOfBounds { min, max, found })
    }
}

fn new_consent(
    state: &Overlay<'_>,
    (outlet, camera): (OutletId, u64),
    grounds: Grounds,
    until_ms: u64,
) -> Consent {
    let (height, recorded_at_ms) = (state.core().height, state.time_ms());

    Consent {
        outlet,
        camera,
        grounds,
        height,
        recorded_at_ms,
        until_ms,
        revoked_at_ms: None,
    }
}

/// The camera's list without those that are over, and the outlet's day, if both have room for one more.
fn room_for_consent(
    state: &Overlay<'_>,
    (outlet, camera): (OutletId, u64),
    is_guests: bool,
    max: usize,
) -> Result<(Vec<B256>, VideoDay), Rejection> {
    let now_ms = state.time_ms();
    let mut open = state.consents_of((outlet, camera)).to_vec();
    open.retain(|id| {
        state
            .consent(*id)
            .is_some_and(|consent| consent.is_in_force(now_ms))
    });

    let is_same_kind = |id: &&B256| {
        state
            .consent(**id)
            .is_some_and(|other| other.is_guests() == is_guests)
    };
    if open.iter().filter(is_same_kind).count() >= max {
        return Err(Rejection::TooManyConsents { camera, max });
    }

    let day = state.video_day(outlet);
    if day.consents >= CONSENTS_PER_DAY_MAX {
        return Err(Rejection::DayFull {
            outlet,
            what: "consents",
            max: CONSENTS_PER_DAY_MAX,
        });
    }

    Ok((
        open,
        VideoDay {
            consents: day.consents + 1,
            ..day
        },
    ))
}

fn put_consent(
    state: &mut Overlay<'_>,
    id: B256,
    consent: Consent,
    room: (Vec<B256>, VideoDay),
) -> Event {
    let (mut open, day) = room;
    open.push(id);
    state.put_video_day(consent.outlet, day);
    state.put_consents_of((consent.outlet, consent.camera), open);
    state.put_consent(id, consent);
    Event::ConsentRecorded { id, consent }
}

/// Ends a consent at once. It may be over already: then its recordings take no further pin all the same.
pub(super) fn revoke_consent(
    state: &mut Overlay<'_>,
    t: &RevokeConsent,
    signer: Address,
) -> Outcome {
    let consent = *state
        .consent(t.consent)
        .ok_or(Rejection::UnknownConsent { found: t.consent })?;
    if let Some(revoked_at_ms) = consent.revoked_at_ms {
        return Err(Rejection::AlreadyRevoked { revoked_at_ms });
    }
    check_may_revoke(state, &consent, signer)?;

    let at_ms = state.time_ms();
    state.put_consent(
        t.consent,
        Consent {
            revoked_at_ms: Some(at_ms),
            ..consent
        },
    );

    Ok(vec![Event::ConsentRevoked {
        id: t.consent,
        by: signer,
        at_ms,
    }])
}

/// A witness that was itself revoked has no say any more; the guest and the owner always have.
fn check_may_revoke(
    state: &Overlay<'_>,
    consent: &Consent,
    signer: Address,
) -> Result<(), Rejection> {
    let owner = outlet_of_owner(state, consent.outlet, signer).map(drop);

    match consent.grounds {
        _ if owner.is_ok() => Ok(()),
        Grounds::Guest { guest, .. } if signer == guest => Ok(()),
        Grounds::Guest { witness, .. } if signer == witness => {
            terminal_of_outlet(state, witness, consent.outlet).map(drop)
        }
        Grounds::Guest { .. } | Grounds::Basis { .. } => owner,
    }
}

/// Identity first, then rights, then content, as for a sale: a spool that was away for days learns what stands.
pub(super) fn pin_recording(
    state: &mut Overlay<'_>,
    t: &PinRecording,
    tx_id: B256,
    signer: Address,
) -> Outcome {
    match state.recording(t.cid) {
        None => {}
        Some(stands) if stands.tx_id == tx_id => {
            return Err(Rejection::AlreadyIncluded {
                height: stands.pinned.height,
            });
        }
        Some(stands) => {
            return Err(Rejection::RecordingConflict {
                cid: t.cid,
                expected: stands.tx_id,
                found: tx_id,
            });
        }
    }

    agent_of_outlet(state, signer, t.outlet)?;
    check_allowed(state, t)?;
    check_segment(state.time_ms(), t)?;

    let day = state.video_day(t.outlet);
    if day.recordings >= RECORDINGS_PER_DAY_MAX {
        return Err(Rejection::DayFull {
            outlet: t.outlet,
            what: "recordings",
            max: RECORDINGS_PER_DAY_MAX,
        });
    }

    state.put_video_day(
        t.outlet,
        VideoDay {
            recordings: day.recordings + 1,
            ..day
        },
    );

    let pinned = pinned_recording(state, t, signer);
    state.put_recording(
        t.cid,
        Recording {
            tx_id,
            pinned,
            erased: None,
        },
    );

    Ok(vec![Event::RecordingPinned { tx_id, pinned }])
}

fn pinned_recording(state: &Overlay<'_>, t: &PinRecording, agent: Address) -> Pinned {
    let PinRecording {
        outlet,
        camera,
        consent,
        cid,
        manifest_hash,
        sequence,
        started_at_ms,
        ended_at_ms,
    } = *t;
    let (height, time_ms) = (state.core().height, state.time_ms());

    Pinned {
        cid,
        outlet,
        camera,
        consent,
        manifest_hash,
        sequence,
        started_at_ms,
        ended_at_ms,
        agent,
        height,
        time_ms,
    }
}

fn check_allowed(state: &Overlay<'_>, t: &PinRecording) -> Result<(), Rejection> {
    let consent = state
        .consent(t.consent)
        .ok_or(Rejection::UnknownConsent { found: t.consent })?;
    let (expected, found) = ((consent.outlet, consent.camera), (t.outlet, t.camera));
    if expected != found {
        return Err(Rejection::WrongConsent { expected, found });
    }

    if !consent.purposes().allow(Purpose::Recording) {
        return Err(Rejection::PurposeNotAllowed {
            found: Purpose::Recording,
        });
    }
    if let Some(revoked_at_ms) = consent.revoked_at_ms.filter(|_| consent.is_guests()) {
        return Err(Rejection::ConsentRevoked { revoked_at_ms });
    }

    let from_ms = consent
        .recorded_at_ms
        .saturating_sub(RECORDING_TOLERANCE_MS);
    let to_ms = consent.ends_at_ms().saturating_add(RECORDING_TOLERANCE_MS);
    let (started_at_ms, ended_at_ms) = (t.started_at_ms, t.ended_at_ms);
    if started_at_ms < from_ms || ended_at_ms > to_ms {
        return Err(Rejection::OutsideConsent {
            from_ms,
            to_ms,
            started_at_ms,
            ended_at_ms,
        });
    }

    let (late_ms, max_ms) = (
        state.time_ms().saturating_sub(ended_at_ms),
        consent.retention_ms(),
    );
    if late_ms > max_ms {
        return Err(Rejection::RecordingTooLate { late_ms, max_ms });
    }

    Ok(())
}

fn check_segment(now_ms: u64, t: &PinRecording) -> Result<(), Rejection> {
    let (started_at_ms, ended_at_ms) = (t.started_at_ms, t.ended_at_ms);
    if t.sequence > SEQUENCE_MAX {
        return Err(Rejection::SequenceOutOfBounds {
            max: SEQUENCE_MAX,
            found: t.sequence,
        });
    }

    if ended_at_ms <= started_at_ms || ended_at_ms - started_at_ms > RECORDING_MS_MAX {
        return Err(Rejection::RecordingLength {
            max_ms: RECORDING_MS_MAX,
            started_at_ms,
            ended_at_ms,
        });
    }

    let ahead_ms = ended_at_ms.saturating_sub(now_ms);
    if ahead_ms > RECORDING_TOLERANCE_MS {
        return Err(Rejection::RecordingAhead {
            ahead_ms,
            max_ms: RECORDING_TOLERANCE_MS,
        });
    }

    Ok(())
}

pub(super) fn erase_recording(
    state: &mut Overlay<'_>,
    t: &EraseRecording,
    signer: Address,
) -> Outcome {
    let recording = *state
        .recording(t.cid)
        .ok_or(Rejection::UnknownRecording { found: t.cid })?;
    if let Some(erased) = recording.erased {
        return Err(Rejection::AlreadyErased {
            height: erased.height,
        });
    }

    let expected = recording.pinned.outlet;
    if t.outlet != expected {
        return Err(Rejection::WrongRecordingOutlet {
            cid: t.cid,
            expected,
            found: t.outlet,
        });
    }

    if state
        .outlet(t.outlet)
        .is_none_or(|outlet| outlet.owner != signer)
    {
        agent_of_outlet(state, signer, t.outlet)?;
    }

    let (height, time_ms) = (state.core().height, state.time_ms());
    let erased = Erased {
        cid: t.cid,
        outlet: t.outlet,
        reason: t.reason,
        by: signer,
        height,
        time_ms,
    };
    state.put_recording(
        t.cid,
        Recording {
            erased: Some(erased),
            ..recording
        },
    );

    Ok(vec![Event::RecordingErased { erased }])
}

/// The leaves that events add to the next checkpoint's recordings root, in their order.
pub(super) fn leaves(events: &[Event]) -> impl Iterator<Item = B256> + '_ {
    events.iter().filter_map(|event| match event {
        Event::RecordingPinned { pinned, .. } => Some(RecordingEntry::Pinned(*pinned).leaf()),
        Event::RecordingErased { erased } => Some(RecordingEntry::Erased(*erased).leaf()),
        _ => None,
    })
}
