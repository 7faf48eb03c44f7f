//! Readiness of the whole process from that of its tasks.

use service_kit::http::Readiness;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Why each task is not ready; ready when none has a reason.
#[derive(Clone, Debug)]
pub struct Health {
    readiness: Readiness,
    reasons: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

impl Health {
    /// Every named task has to say that it is ready first.
    pub fn starting(tasks: &[&'static str]) -> Self {
        let reasons = tasks
            .iter()
            .map(|task| (*task, "starting".to_owned()))
            .collect();
        Self {
            readiness: Readiness::starting(),
            reasons: Arc::new(Mutex::new(reasons)),
        }
    }

    /// What `/readyz` answers with.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// A task is ready, or the reason why not.
    pub fn set(&self, task: &'static str, state: Result<(), String>) {
        let Ok(mut reasons) = self.reasons.lock() else {
            return;
        };

        match state {
            Ok(()) => drop(reasons.remove(task)),
            Err(reason) => drop(reasons.insert(task, reason)),
        }

        let all: Vec<String> = reasons
            .iter()
            .map(|(task, reason)| format!("{task}: {reason}"))
            .collect();
        self.readiness.set(if all.is_empty() {
            Ok(())
        } else {
            Err(all.join("; "))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_when_every_task_is() {
        let health = Health::starting(&["evm", "sidechain"]);
        assert!(health.readiness().reason().is_some());
        health.set("evm", Ok(()));
        assert_eq!(
            health.readiness().reason().as_deref(),
            Some("sidechain: starting")
        );
        health.set("sidechain", Ok(()));
        assert_eq!(health.readiness().reason(), None);
        health.set("evm", Err("no answer".into()));
        assert_eq!(
            health.readiness().reason().as_deref(),
            Some("evm: no answer")
        );
    }
}
