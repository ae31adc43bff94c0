//! What a probe is: a rule, and how it is tried.

use crate::check::case::{Base, Case, Finding};
use crate::check::options::CheckOptions;
use crate::check::play::Reach;
use crate::error::Result;
use crate::event::Evidence;
use crate::run::Work;

/// A probe: one rule, tried in one or more cases.
pub struct Probe {
    /// `group.id`.
    pub id: &'static str,
    /// The RFC and clause that it tries.
    pub clause: &'static str,
    /// The number of the like case of the Autobahn test suite; empty without one.
    pub autobahn: &'static str,
    /// What a pass proves, as a sentence.
    pub proves: &'static str,
    /// How it is tried.
    pub plan: Plan,
}

/// How a probe is tried.
#[derive(Clone, Copy)]
pub enum Plan {
    /// By exchanges that don't depend on each other, or the reason why it can't be tried.
    Cases(fn(&Base) -> std::result::Result<Vec<Case>, String>),
    /// By steps that do.
    Steps(fn(&mut Steps<'_, '_>) -> Stepped),
}

impl Probe {
    /// A probe that is tried by independent exchanges.
    pub const fn of_cases(
        id: &'static str,
        clause: &'static str,
        proves: &'static str,
        cases: fn(&Base) -> std::result::Result<Vec<Case>, String>,
    ) -> Probe {
        Probe { id, clause, autobahn: "", proves, plan: Plan::Cases(cases) }
    }

    /// A probe that is tried in steps.
    pub const fn of_steps(
        id: &'static str,
        clause: &'static str,
        proves: &'static str,
        steps: fn(&mut Steps<'_, '_>) -> Stepped,
    ) -> Probe {
        Probe { id, clause, autobahn: "", proves, plan: Plan::Steps(steps) }
    }

    /// The same with the number of Autobahn's like case.
    pub const fn like(self, autobahn: &'static str) -> Probe {
        Probe { autobahn, ..self }
    }

    /// The first part of its id.
    pub fn group(&self) -> &'static str {
        self.id.split_once('.').map_or(self.id, |(group, _)| group)
    }
}

/// What steps lead to.
pub type Stepped = Result<(Finding, Option<Evidence>)>;

/// A probe that is tried in steps.
pub struct Steps<'a, 'w> {
    /// The run.
    pub work: &'a mut Work<'w>,
    /// How the server is reached.
    pub reach: &'a Reach,
    /// What is known of it.
    pub base: &'a Base,
    /// What the caller wants.
    pub options: &'a CheckOptions,
}

impl Steps<'_, '_> {
    /// Plays one case.
    ///
    /// # Errors
    /// The connection could not be opened, or the run must end.
    pub fn play(&mut self, case: &Case) -> Result<(Finding, Evidence)> {
        self.reach.play(self.work, self.base, case)
    }
}
