//! One door: who goes through it with what, what has to be answered, and what has to come of it.

use crate::actor::Actor;
use crate::draft::Document;
use crate::network::{Answer, wait_for};
use crate::report;
use crate::supply::{Move, OF_A_DOOR, differences};
use crate::walk::{SALES, TRANSACTIONS, Walk};
use anyhow::{Context, Result};
use api_types::SupplyAnswer;
use std::fmt;
use std::time::Duration;

/// Before what is not there yet is asked for again.
const PAUSE: Duration = Duration::from_millis(300);

/// What is asked of a door.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Request<'d> {
    /// `POST` of a document to a path.
    Post(&'d str, &'d Document),
    /// `GET` of a path. It changes nothing.
    Get(&'d str),
}

/// Somebody before a door. [`Door::expect`] and [`Door::refuse`] go through it.
#[derive(Debug)]
#[must_use = "who stands before a door has to expect something of it"]
pub struct Door<'w> {
    walk: &'w mut Walk,
    who: Actor,
    what: &'w str,
    request: Request<'w>,
    moves: Vec<Move>,
}

/// What has to be answered.
#[derive(Clone, Copy, Debug)]
struct Wanted<'m> {
    status: u16,
    code: Option<&'m str>,
    moves: &'m [Move],
}

/// Doors: each is one thing that somebody does, with what has to come of it.
impl Walk {
    /// Somebody sends what is signed to where it belongs.
    pub fn door<'w>(&'w mut self, who: Actor, what: &'w str, sent: &'w Document) -> Door<'w> {
        let path = if sent.is_sale() { SALES } else { TRANSACTIONS };
        self.knock(who, what, path, sent)
    }

    /// Somebody sends anything anywhere.
    pub fn knock<'w>(
        &'w mut self,
        who: Actor,
        what: &'w str,
        path: &'w str,
        sent: &'w Document,
    ) -> Door<'w> {
        Door::new(self, who, what, Request::Post(path, sent))
    }

    /// Somebody reads.
    pub fn look<'w>(&'w mut self, who: Actor, what: &'w str, path: &'w str) -> Door<'w> {
        Door::new(self, who, what, Request::Get(path))
    }
}

impl<'w> Door<'w> {
    pub(crate) const fn new(
        walk: &'w mut Walk,
        who: Actor,
        what: &'w str,
        request: Request<'w>,
    ) -> Self {
        let moves = Vec::new();
        Self {
            walk,
            who,
            what,
            request,
            moves,
        }
    }

    /// What has to come of it; what is not named must stay as it was.
    pub fn moves(mut self, moves: impl IntoIterator<Item = Move>) -> Self {
        self.moves.extend(moves);
        self
    }

    /// It has to answer with this status.
    pub fn expect(self, status: u16) -> Result<()> {
        self.go(status, None)
    }

    /// It has to refuse, with this status and for this reason.
    pub fn refuse(self, status: u16, code: &str) -> Result<()> {
        self.go(status, Some(code))
    }

    fn go(self, status: u16, code: Option<&str>) -> Result<()> {
        let before = self.walk.network().supply()?;
        let (answer, after) = match self.request {
            Request::Post(path, document) => self.knock(path, document)?,
            Request::Get(path) => (self.look(path, status)?, before),
        };
        let moves = &self.moves;
        let wanted = Wanted {
            status,
            code,
            moves,
        };

        report::door(&self.who.to_string(), self.what, &self.command(), &answer);
        report::moves(&before, &after);
        self.walk.count(&wanted.wrong(&answer, &before, &after));
        Ok(())
    }

    fn knock(&self, path: &str, document: &Document) -> Result<(Answer, SupplyAnswer)> {
        let network = self.walk.network();
        let answer = network.post(&self.walk.url(path), document.text())?;
        network.wait_for_height(answer.height().unwrap_or_default())?;
        Ok((answer, network.supply()?))
    }

    /// What has to be there may take a while.
    fn look(&self, path: &str, status: u16) -> Result<Answer> {
        let url = self.walk.url(path);
        let mut last = None;
        let found = wait_for(PAUSE, || {
            let answer = self.walk.network().get(&url)?;
            if status != 200 || answer.status != 404 {
                return Ok(Some(answer));
            }
            last = Some(answer);
            Ok(None)
        })?;
        found.or(last).context("no answer")
    }

    /// The same for who wants to repeat it in the walk's folder.
    fn command(&self) -> String {
        match self.request {
            Request::Post(path, document) => {
                let (name, url) = (document.name(), self.walk.url(path));
                format!("curl --json @{name}.json {url}")
            }
            Request::Get(path) => format!("curl {}", self.walk.url(path)),
        }
    }
}

impl Wanted<'_> {
    /// What is not as written; empty when all is.
    fn wrong(&self, answer: &Answer, before: &SupplyAnswer, after: &SupplyAnswer) -> Vec<String> {
        let code = answer.code();
        let code = unlike(
            "code",
            code.as_deref().unwrap_or("-"),
            self.code.unwrap_or("-"),
        );
        let status = unlike("status", answer.status, self.status);
        let moved = differences(before, after, OF_A_DOOR, self.moves);
        code.into_iter().chain(status).chain(moved).collect()
    }
}

fn unlike<T: PartialEq + fmt::Display>(what: &str, found: T, wanted: T) -> Option<String> {
    (found != wanted).then(|| format!("{what} {found}, expected {wanted}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supply::tests::{after_a_sale, genesis};

    fn refusal() -> Answer {
        Answer {
            status: 403,
            text: r#"{"type": "urn:hotpot:problem:wrong_signer", "detail": "no"}"#.into(),
        }
    }

    fn wrong(status: u16, code: Option<&str>, after: &SupplyAnswer) -> Vec<String> {
        let moves = &[];
        let wanted = Wanted {
            status,
            code,
            moves,
        };
        wanted.wrong(&refusal(), &genesis(), after)
    }

    #[test]
    fn a_refusal_has_to_be_the_expected_one_and_to_change_nothing() {
        assert!(wrong(403, Some("wrong_signer"), &genesis()).is_empty());
        assert_eq!(
            wrong(201, None, &genesis()),
            [
                "code wrong_signer, expected -.",
                "status 403, expected 201."
            ]
        );
        assert_eq!(
            wrong(403, Some("wrong_outlet"), &genesis()),
            ["code wrong_signer, expected wrong_outlet."]
        );
        assert_eq!(wrong(403, Some("wrong_signer"), &after_a_sale()).len(), 4);
    }
}
