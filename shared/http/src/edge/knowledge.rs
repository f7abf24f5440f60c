//! What is known of a tenant while one of its requests is served.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use leaderboard_core::ports::{Announcements, Change, DocumentKind, DocumentName};
use leaderboard_core::{StoreError, TenantId, Versioned};
use serde::{Deserialize, Serialize};

use super::{Bodies, Trust, documents, renew};
use crate::environment::Environment;
use crate::limits::Rules;

/// The id of documents of which a scope has one.
pub(crate) const ONLY: &str = "only";

/// How long copies of what rules a tenant are good for. A change replaces them in its own instance and the region's cache
/// at once, and in the other regions' by a message; the memory of other instances is up to half a minute behind. These times hold
/// where messages get lost, too.
const TRUST: Trust = Trust {
    refresh_after_ms: 15_000,
    ask_after_ms: 30_000,
    forgive_ms: 24 * 60 * 60 * 1000,
};

/// Whether a tenant may be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantState {
    /// It may.
    #[default]
    Active,
    /// Every request with its credentials, or about its leaderboards, is refused.
    Suspended,
}

/// How much a tenant may have and use; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// Leaderboards.
    pub leaderboards: Option<u64>,
    /// Entries in all leaderboards and periods.
    pub entries: Option<u64>,
    /// Requests in a day (UTC).
    pub requests_per_day: Option<u64>,
}

/// What the operator has set for a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantRecord {
    /// Its name for people.
    pub title: String,
    /// Whether it may be used.
    pub state: TenantState,
    /// How much it may have and use.
    pub quotas: Quotas,
}

/// What is known of a tenant: the operator's documents and its own. What is made of a document is kept beside it, so that
/// an instance parses each document once.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    /// The tenant's record; the defaults where there is none.
    pub(crate) tenant: TenantRecord,
    /// What limits its requests.
    pub(crate) limits: Rules,
    operator: Rc<Bodies>,
    own: Rc<Bodies>,
}

/// For how many tenants an instance keeps what it knows.
const MAX_KNOWN_TENANTS: usize = 200;

/// What an instance knows of tenants, made of the copies of their documents.
#[derive(Debug, Default)]
pub(crate) struct KnownTenants(
    RefCell<BTreeMap<TenantId, Rc<Knowledge>>>,
    /// The operator's limits, and the copies that they were made of.
    RefCell<Option<(Rc<Bodies>, Rc<Rules>)>>,
);

impl KnownTenants {
    /// What is known, if it was made of these very copies.
    fn find(&self, tenant: &TenantId, operator: &Rc<Bodies>, own: &Rc<Bodies>) -> Option<Rc<Knowledge>> {
        let known = self.0.borrow();
        let knowledge = known.get(tenant)?;
        let current = Rc::ptr_eq(&knowledge.operator, operator) && Rc::ptr_eq(&knowledge.own, own);
        current.then(|| Rc::clone(knowledge))
    }

    fn remember(&self, tenant: &TenantId, knowledge: &Rc<Knowledge>) {
        let mut known = self.0.borrow_mut();
        if known.len() >= MAX_KNOWN_TENANTS && !known.contains_key(tenant) {
            // All of it can be made anew from the copies, and no tenant is the one that always goes first.
            known.clear();
        }
        known.insert(tenant.clone(), Rc::clone(knowledge));
    }
}

/// The places of the operator's documents in their group.
const OPERATOR_KINDS: [DocumentKind; 2] = [DocumentKind::Limits, DocumentKind::Flags];
/// The places of a tenant's documents in their group.
const OWN_KINDS: [DocumentKind; 3] = [DocumentKind::Tenant, DocumentKind::Limits, DocumentKind::Flags];

impl Knowledge {
    /// What is known of a tenant, from the nearest copies that are good.
    ///
    /// # Errors
    /// [`StoreError`] when nothing is known and the store does not answer.
    pub(crate) async fn of<E: Environment>(env: &E, tenant: &TenantId) -> Result<Rc<Self>, StoreError> {
        let operator = documents(env, "operator", operator_names, TRUST).await?;
        let whose = tenant.clone();
        let own = documents(env, &group(tenant), move || own_names(&whose), TRUST).await?;
        if let Some(knowledge) = env.memory().known.find(tenant, &operator, &own) {
            return Ok(knowledge);
        }
        let record = body(&own, &OWN_KINDS, DocumentKind::Tenant);
        let knowledge = Rc::new(Self {
            tenant: record
                .map(serde_json::from_slice)
                .transpose()
                .map_err(|error| StoreError::Corrupt(format!("record of the tenant {tenant}: {error}")))?
                .unwrap_or_default(),
            limits: Rules::of(
                body(&operator, &OPERATOR_KINDS, DocumentKind::Limits),
                body(&own, &OWN_KINDS, DocumentKind::Limits),
            ),
            operator,
            own,
        });
        env.memory().known.remember(tenant, &knowledge);
        Ok(knowledge)
    }

    /// The limits that hold before the tenant is known.
    ///
    /// # Errors
    /// [`StoreError`] when nothing is known and the store does not answer.
    pub(crate) async fn rules_of_the_operator<E: Environment>(env: &E) -> Result<Rc<Rules>, StoreError> {
        let operator = documents(env, "operator", operator_names, TRUST).await?;
        let known = &env.memory().known.1;
        if let Some((made_of, rules)) = known.borrow().as_ref()
            && Rc::ptr_eq(made_of, &operator)
        {
            return Ok(Rc::clone(rules));
        }
        let limits = body(&operator, &OPERATOR_KINDS, DocumentKind::Limits);
        let rules = Rc::new(Rules::of(limits, None));
        *known.borrow_mut() = Some((operator, Rc::clone(&rules)));
        Ok(rules)
    }

    /// What is known when nothing of the tenant is: the operator's limits, or the defaults.
    pub(crate) async fn of_the_operator<E: Environment>(env: &E) -> Rc<Self> {
        let rules = Self::rules_of_the_operator(env).await;
        Rc::new(Self {
            limits: rules.map(|rules| Rules::clone(&rules)).unwrap_or_default(),
            ..Self::default()
        })
    }

    /// Whether there is any document of the tenant: a name that somebody made up has none.
    pub(crate) fn has_own_documents(&self) -> bool {
        self.own.iter().any(Option::is_some)
    }

    /// The operator's document of a kind.
    pub(crate) fn of_operator(&self, kind: DocumentKind) -> Option<&[u8]> {
        body(&self.operator, &OPERATOR_KINDS, kind)
    }

    /// The operator's flags, with their version.
    pub(crate) fn operator_flags(&self) -> Option<&Versioned<Vec<u8>>> {
        document(&self.operator, &OPERATOR_KINDS, DocumentKind::Flags)
    }

    /// The tenant's own flags, with their version.
    pub(crate) fn tenant_flags(&self) -> Option<&Versioned<Vec<u8>>> {
        document(&self.own, &OWN_KINDS, DocumentKind::Flags)
    }

    /// Renews the copies of a tenant's documents here, and lets the other regions know, because one of them has changed.
    pub(crate) async fn changed<E: Environment>(env: &E, tenant: &TenantId) {
        Self::renew(env, Some(tenant)).await;
        if let Some(channel) = &env.settings().changes_channel {
            // A message can be lost as well: copies are out of date after a while in any case.
            let _ = env.store().announce(channel, tenant, Change::Documents).await;
        }
    }

    /// Renews the copies of a tenant's documents, or of the operator's, because one of them has changed.
    pub(crate) async fn renew<E: Environment>(env: &E, tenant: Option<&TenantId>) {
        match tenant {
            Some(tenant) => renew(env, &group(tenant), &own_names(tenant)).await,
            None => renew(env, "operator", &operator_names()).await,
        }
    }
}

fn group(tenant: &TenantId) -> String {
    format!("tenant:{tenant}")
}

/// The name of the one document of a kind and scope.
pub(crate) fn only(tenant: Option<&TenantId>, kind: DocumentKind) -> DocumentName {
    DocumentName {
        tenant: tenant.cloned(),
        kind,
        id: ONLY.into(),
    }
}

/// The name of a tenant's record: the operator's, not the tenant's own.
pub(crate) fn record(tenant: &TenantId) -> DocumentName {
    DocumentName {
        tenant: None,
        kind: DocumentKind::Tenant,
        id: tenant.as_str().into(),
    }
}

fn operator_names() -> Vec<DocumentName> {
    OPERATOR_KINDS.map(|kind| only(None, kind)).to_vec()
}

fn own_names(tenant: &TenantId) -> Vec<DocumentName> {
    let name = |kind| match kind {
        DocumentKind::Tenant => record(tenant),
        kind => only(Some(tenant), kind),
    };
    OWN_KINDS.map(name).to_vec()
}

fn body<'a>(bodies: &'a Bodies, kinds: &[DocumentKind], kind: DocumentKind) -> Option<&'a [u8]> {
    document(bodies, kinds, kind).map(|document| document.value.as_slice())
}

fn document<'a>(
    bodies: &'a Bodies,
    kinds: &[DocumentKind],
    kind: DocumentKind,
) -> Option<&'a Versioned<Vec<u8>>> {
    let at = kinds.iter().position(|known| *known == kind)?;
    bodies.get(at)?.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_that_is_known_displaces_nobody() {
        let known = KnownTenants::default();
        let tenant = |n: usize| TenantId::new(format!("t{n:04}")).unwrap();
        let nothing = Rc::new(Knowledge::default());
        for n in 0..MAX_KNOWN_TENANTS {
            known.remember(&tenant(n), &nothing);
        }
        known.remember(&tenant(5), &nothing);
        assert_eq!(known.0.borrow().len(), MAX_KNOWN_TENANTS);
        known.remember(&tenant(MAX_KNOWN_TENANTS), &nothing);
        assert!(known.0.borrow().contains_key(&tenant(MAX_KNOWN_TENANTS)));
        assert!(known.0.borrow().len() <= MAX_KNOWN_TENANTS);
    }
}
