//! What is known of a tenant while one of its requests is served.

use leaderboard_api::tenant_record::TenantRecord;
use std::cell::RefCell;
use std::rc::Rc;

use leaderboard_core::ports::{AnnouncedChange, Announcements, DocumentKind, DocumentName};
use leaderboard_core::{LruMap, StoreError, TenantId, Versioned};

use super::Banned;
use crate::TenantConfigEnvironment;
use leaderboard_cache::documents::invalidate_documents;
use leaderboard_cache::documents::{DocumentBodies, DocumentLifetime, load_documents};
use leaderboard_cache::generations::wait_until_visible;
use leaderboard_rate_limit::{RateLimitRules, TenantLimits};

/// The id of documents of which a scope has one.
pub(crate) const ONLY: &str = "only";

/// How long copies of what rules a tenant are good for. A change holds in its own region before it is answered, and in other
/// regions by a message; these times hold where messages get lost.
const TRUST: DocumentLifetime = DocumentLifetime {
    soft_ttl_ms: 15_000,
    hard_ttl_ms: 30_000,
    stale_if_error_ms: 24 * 60 * 60 * 1000,
    checks_generation: true,
};

/// What is known of a tenant: the operator's documents and its own. What is made of a document is kept beside it, so that
/// an instance parses each document once.
#[derive(Debug, Default)]
pub struct TenantConfig {
    /// The tenant's record; the defaults where there is none.
    pub tenant: TenantRecord,
    /// What limits its requests.
    pub limits: RateLimitRules,
    /// Who may be banned.
    pub banned: Banned,
    operator: Rc<DocumentBodies>,
    own: Rc<DocumentBodies>,
}

/// For how many tenants an instance keeps what it knows.
const MAX_KNOWN_TENANTS: usize = 200;

/// What an instance knows of tenants, made of the copies of their documents.
#[derive(Debug, Default)]
pub struct TenantConfigs(
    RefCell<LruMap<TenantId, Rc<TenantConfig>, MAX_KNOWN_TENANTS>>,
    /// The operator's limits, and the copies that they were made of.
    RefCell<Option<(Rc<DocumentBodies>, Rc<RateLimitRules>)>>,
);

impl TenantConfigs {
    /// What is known, if it was made of these very copies.
    fn find(&self, tenant: &TenantId, operator: &Rc<DocumentBodies>, own: &Rc<DocumentBodies>) -> Option<Rc<TenantConfig>> {
        let mut known = self.0.borrow_mut();
        let tenant_config = known.get(tenant)?;
        let current = Rc::ptr_eq(&tenant_config.operator, operator) && Rc::ptr_eq(&tenant_config.own, own);
        current.then(|| Rc::clone(tenant_config))
    }

    fn remember(&self, tenant: &TenantId, tenant_config: &Rc<TenantConfig>) {
        self.0
            .borrow_mut()
            .insert(tenant.clone(), Rc::clone(tenant_config));
    }
}

/// The places of the operator's documents in their group.
const OPERATOR_KINDS: [DocumentKind; 2] = [DocumentKind::Limits, DocumentKind::Flags];
/// The places of a tenant's documents in their group.
const OWN_KINDS: [DocumentKind; 4] = [
    DocumentKind::Tenant,
    DocumentKind::Limits,
    DocumentKind::Flags,
    DocumentKind::Bans,
];

impl TenantConfig {
    /// What is known of a tenant, from the nearest copies that are good.
    ///
    /// # Errors
    /// [`StoreError`] when nothing is known and the store does not answer.
    pub async fn load<E: TenantConfigEnvironment>(
        env: &E,
        tenant: &TenantId,
    ) -> Result<Rc<Self>, StoreError> {
        let operator = load_documents(env, "operator", operator_names, TRUST).await?;
        let whose = tenant.clone();
        let own = load_documents(env, &group(tenant), move || own_names(&whose), TRUST).await?;
        if let Some(tenant_config) = env.tenant_config_state().known.find(tenant, &operator, &own) {
            return Ok(tenant_config);
        }
        let record = body(&own, &OWN_KINDS, DocumentKind::Tenant);
        let tenant_config = Rc::new(Self {
            tenant: record
                .map(serde_json::from_slice)
                .transpose()
                .map_err(|error| StoreError::Corrupt(format!("record of the tenant {tenant}: {error}")))?
                .unwrap_or_default(),
            limits: RateLimitRules::of(
                body(&operator, &OPERATOR_KINDS, DocumentKind::Limits),
                body(&own, &OWN_KINDS, DocumentKind::Limits),
            ),
            banned: Banned::parse(body(&own, &OWN_KINDS, DocumentKind::Bans))?,
            operator,
            own,
        });
        env.tenant_config_state().known.remember(tenant, &tenant_config);
        Ok(tenant_config)
    }

    /// The limits that hold before the tenant is known.
    ///
    /// # Errors
    /// [`StoreError`] when nothing is known and the store does not answer.
    pub async fn load_operator_rules<E: TenantConfigEnvironment>(
        env: &E,
    ) -> Result<Rc<RateLimitRules>, StoreError> {
        let operator = load_documents(env, "operator", operator_names, TRUST).await?;
        let known = &env.tenant_config_state().known.1;
        if let Some((made_of, rules)) = known.borrow().as_ref()
            && Rc::ptr_eq(made_of, &operator)
        {
            return Ok(Rc::clone(rules));
        }
        let limits = body(&operator, &OPERATOR_KINDS, DocumentKind::Limits);
        let rules = Rc::new(RateLimitRules::of(limits, None));
        *known.borrow_mut() = Some((operator, Rc::clone(&rules)));
        Ok(rules)
    }

    /// What is known when nothing of the tenant is: the operator's limits, or the defaults.
    pub async fn load_operator_defaults<E: TenantConfigEnvironment>(env: &E) -> Rc<Self> {
        let rules = Self::load_operator_rules(env).await;
        Rc::new(Self {
            limits: rules
                .map(|rules| RateLimitRules::clone(&rules))
                .unwrap_or_default(),
            ..Self::default()
        })
    }

    /// Returns the limits that apply to the tenant's requests.
    pub fn limits(&self) -> TenantLimits<'_> {
        TenantLimits {
            rules: &self.limits,
            requests_per_day: self.tenant.quotas.requests_per_day,
            exists: self.has_own_documents(),
        }
    }

    /// Whether there is any document of the tenant: a name that somebody made up has none.
    pub fn has_own_documents(&self) -> bool {
        self.own.iter().any(Option::is_some)
    }

    /// The operator's document of a kind.
    pub fn of_operator(&self, kind: DocumentKind) -> Option<&[u8]> {
        body(&self.operator, &OPERATOR_KINDS, kind)
    }

    /// The operator's flags, with their version.
    pub fn operator_flags(&self) -> Option<&Versioned<Vec<u8>>> {
        document(&self.operator, &OPERATOR_KINDS, DocumentKind::Flags)
    }

    /// The tenant's own flags, with their version.
    pub fn tenant_flags(&self) -> Option<&Versioned<Vec<u8>>> {
        document(&self.own, &OWN_KINDS, DocumentKind::Flags)
    }

    /// A document of a tenant, or of the operator, has changed: renews the copies, tells the other regions of a tenant's, and
    /// returns once every instance of this region uses the change.
    pub async fn changed<E: TenantConfigEnvironment>(env: &E, tenant: Option<&TenantId>) {
        let changed_at = env.clock().as_unix_ms();
        Self::renew(env, tenant).await;
        if let Some((tenant, channel)) = tenant.zip(env.changes_channel()) {
            // A message can be lost as well: copies are out of date after a while in any case.
            let _ = env
                .store()
                .announce(channel, tenant, AnnouncedChange::Documents)
                .await;
        }
        wait_until_visible(env, changed_at).await;
    }

    /// Renews the copies of a tenant's documents, or of the operator's, because one of them has changed.
    pub async fn renew<E: TenantConfigEnvironment>(env: &E, tenant: Option<&TenantId>) {
        match tenant {
            Some(tenant) => invalidate_documents(env, &group(tenant), &own_names(tenant)).await,
            None => invalidate_documents(env, "operator", &operator_names()).await,
        }
    }
}

fn group(tenant: &TenantId) -> String {
    format!("tenant:{tenant}")
}

/// The name of the one document of a kind and scope.
pub fn only(tenant: Option<&TenantId>, kind: DocumentKind) -> DocumentName {
    DocumentName {
        tenant: tenant.cloned(),
        kind,
        id: ONLY.into(),
    }
}

/// The name of a tenant's record: the operator's, not the tenant's own.
pub fn record(tenant: &TenantId) -> DocumentName {
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

fn body<'a>(bodies: &'a DocumentBodies, kinds: &[DocumentKind], kind: DocumentKind) -> Option<&'a [u8]> {
    document(bodies, kinds, kind).map(|document| document.value.as_slice())
}

fn document<'a>(
    bodies: &'a DocumentBodies,
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
    fn the_tenant_that_was_used_least_recently_makes_room() {
        let known = TenantConfigs::default();
        let tenant = |n: usize| TenantId::new(format!("t{n:04}")).unwrap();
        let tenant_config = || {
            Rc::new(TenantConfig {
                operator: Rc::new(DocumentBodies::new()),
                own: Rc::new(DocumentBodies::new()),
                ..TenantConfig::default()
            })
        };
        let first = tenant_config();
        known.remember(&tenant(0), &first);
        for n in 1..MAX_KNOWN_TENANTS {
            known.remember(&tenant(n), &tenant_config());
        }
        let find = |n, of: &TenantConfig| known.find(&tenant(n), &of.operator, &of.own).is_some();
        assert!(find(0, &first));
        let one_more = tenant_config();
        known.remember(&tenant(MAX_KNOWN_TENANTS), &one_more);
        assert!(find(0, &first) && find(MAX_KNOWN_TENANTS, &one_more));
        assert_eq!(known.0.borrow().len(), MAX_KNOWN_TENANTS);
    }
}
