//! What decisions depend on beside the inputs: the program, the map and the policy. A segment begins with it.

use doorstep_dispatch_core::{
    AdvicePolicy, Dwells, Policy, PolicyField, PolicyFields, SearchLevel, Span,
};
use doorstep_dispatch_wire::journal as wire;
use doorstep_routing::{Distance, Router};

/// The setup of one shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setup {
    /// Version of the program, for whoever looks for the one that can replay a journal.
    pub(crate) code: String,
    /// The network and the profile of its travel times.
    pub(crate) roads: String,
    pub(crate) policy: Policy,
}

impl Setup {
    pub(crate) fn new(policy: &Policy, router: &Router) -> Self {
        let network = router.network();
        let (nodes, edges) = (network.node_count(), network.edge_count());
        let profile = router.profile();
        Self {
            code: env!("CARGO_PKG_VERSION").to_owned(),
            roads: format!("profile={profile:?} nodes={nodes} edges={edges}"),
            policy: policy.clone(),
        }
    }

    pub(super) fn to_message(&self) -> wire::Setup {
        let policy = &self.policy;
        let mut fields = numbers(policy);
        fields.extend(numbers(&policy.dwells));
        fields.extend(policy.advice.iter().flat_map(numbers));
        let level = |level: &SearchLevel| wire::SearchLevel {
            after_ms: level.after.as_millis(),
            candidates_max: level.candidates_max as u64,
            search_radius_mm: level.search_radius.as_millimetres(),
            offers_at_once: level.offers_at_once as u64,
        };
        wire::Setup {
            code: self.code.clone(),
            roads: self.roads.clone(),
            policy: fields,
            search_levels: policy.search_levels.iter().map(level).collect(),
            has_advice: policy.advice.is_some(),
        }
    }

    /// Fields that the message does not have are as usual; those that this version does not know are left out.
    ///
    /// # Errors
    /// If the policy cannot work.
    pub(crate) fn from_message(message: &wire::Setup) -> Result<Self, String> {
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let level = |level: &wire::SearchLevel| SearchLevel {
            after: Span::from_millis(level.after_ms),
            candidates_max: size(level.candidates_max),
            search_radius: Distance::from_millimetres(level.search_radius_mm),
            offers_at_once: size(level.offers_at_once),
        };
        let mut policy = Policy {
            search_levels: message.search_levels.iter().map(level).collect(),
            advice: message.has_advice.then(AdvicePolicy::default),
            ..Policy::default()
        };
        let mut dwells: Dwells = policy.dwells;
        for field in &message.policy {
            let advice = policy.advice.as_mut();
            let is_known = set(&mut dwells, field)
                || advice.is_some_and(|advice| set(advice, field))
                || set(&mut policy, field);
            if !is_known {
                tracing::warn!(field = %field.name, "the journal has a policy field that this version does not know");
            }
        }
        policy.dwells = dwells;
        policy.validate().map_err(|error| error.to_string())?;
        Ok(Self {
            code: message.code.clone(),
            roads: message.roads.clone(),
            policy,
        })
    }

    #[cfg(test)]
    pub(crate) fn for_test(roads: &str, policy: &Policy) -> Self {
        Self {
            code: "test".to_owned(),
            roads: roads.to_owned(),
            policy: policy.clone(),
        }
    }
}

fn numbers<S: PolicyFields>(settings: &S) -> Vec<wire::Field> {
    let number = |field: &PolicyField<S>| wire::Field {
        name: field.name.to_owned(),
        number: (field.read)(settings),
    };
    S::FIELDS.iter().map(number).collect()
}

/// Sets the field if there is one of this name.
fn set<S: PolicyFields>(settings: &mut S, field: &wire::Field) -> bool {
    let known = S::FIELDS.iter().find(|known| known.name == field.name);
    known.is_some_and(|known| {
        (known.write)(settings, field.number);
        true
    })
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_core::{AdvicePolicy, Matching, Policy, Span};

    use super::{Setup, wire};

    #[test]
    fn a_policy_comes_back_whole() {
        let mut policy = Policy {
            matching: Matching::Mdrp,
            round_interval: Span::from_secs(7),
            advice: Some(AdvicePolicy {
                advices_max: 3,
                ..AdvicePolicy::default()
            }),
            ..Policy::default()
        };
        policy.dwells.parking = Span::from_secs(11);
        policy.search_levels.pop();
        for policy in [Policy::default(), policy] {
            let setup = Setup::for_test("roads", &policy);
            assert_eq!(Setup::from_message(&setup.to_message()), Ok(setup));
        }
    }

    #[test]
    fn unknown_fields_are_left_out_and_a_policy_that_cannot_work_is_refused() {
        let setup = Setup::for_test("roads", &Policy::default());
        let mut message = setup.to_message();
        message.policy.push(wire::Field {
            name: "of_a_later_version".to_owned(),
            number: 7,
        });
        assert_eq!(Setup::from_message(&message), Ok(setup));
        for field in &mut message.policy {
            field.number = 0;
        }
        assert!(Setup::from_message(&message).is_err());
    }
}
