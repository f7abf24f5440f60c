//! Checks shared rules, and computes the depth of each rule, including the rules that it refers to.

use crate::compile::{CompiledRule, SharedRuleReference};
use crate::limits::MAX_RULE_DEPTH;
use crate::problem::Problems;

/// Returns the depth of each evaluator, including the rules that it refers to; `None` if it is broken, cyclic or too deep.
///
/// The recursion is at most as deep as the number of evaluators, and visits each evaluator once.
pub(crate) fn compute_depths(
    evaluators: &[Option<CompiledRule>],
    problems: &mut Problems,
) -> Vec<Option<usize>> {
    let mut search = DepthSearch {
        evaluators,
        states: vec![VisitState::New; evaluators.len()],
    };
    (0..evaluators.len())
        .map(|index| search.visit(index, problems))
        .collect()
}

/// Returns the depth of a rule, including the rules that it refers to; `None` if it refers to a broken rule or is too deep.
pub(crate) fn compute_depth(
    rule: &CompiledRule,
    evaluators: &[Option<usize>],
    problems: &mut Problems,
) -> Option<usize> {
    let mut depth = rule.depth;
    for reference in &rule.references {
        let below = evaluators.get(reference.target).copied().flatten()?;
        depth = depth.max(checked_depth(reference, below, problems)?);
    }
    Some(depth)
}

fn checked_depth(reference: &SharedRuleReference, below: usize, problems: &mut Problems) -> Option<usize> {
    let depth = reference.depth + below;
    if depth > MAX_RULE_DEPTH {
        let detail = format!("makes a rule nested deeper than {MAX_RULE_DEPTH} levels");
        problems.add_at(reference.pointer.clone(), detail);
        return None;
    }
    Some(depth)
}

#[derive(Debug, Clone, Copy)]
enum VisitState {
    New,
    Open,
    Done(Option<usize>),
}

struct DepthSearch<'a> {
    evaluators: &'a [Option<CompiledRule>],
    states: Vec<VisitState>,
}

impl DepthSearch<'_> {
    fn visit(&mut self, index: usize, problems: &mut Problems) -> Option<usize> {
        if let Some(VisitState::Done(depth)) = self.states.get(index) {
            return *depth;
        }
        self.set(index, VisitState::Open);
        let depth = self.search(index, problems);
        self.set(index, VisitState::Done(depth));
        depth
    }

    fn search(&mut self, index: usize, problems: &mut Problems) -> Option<usize> {
        let evaluators = self.evaluators;
        let rule = evaluators.get(index)?.as_ref()?;
        let mut depth = Some(rule.depth);
        for reference in &rule.references {
            if matches!(self.states.get(reference.target), Some(VisitState::Open)) {
                problems.add_at(reference.pointer.clone(), "leads back to itself");
                depth = None;
                continue;
            }
            let below = self.visit(reference.target, problems);
            let with = below.and_then(|below| checked_depth(reference, below, problems));
            depth = depth.zip(with).map(|(own, with)| own.max(with));
        }
        depth
    }

    fn set(&mut self, index: usize, state: VisitState) {
        if let Some(place) = self.states.get_mut(index) {
            *place = state;
        }
    }
}
