//! Loads the configuration of a tenant, and publishes changes of its documents.

use leaderboard_api::tenant_record::TenantRecord;
use std::cell::RefCell;
use std::rc::Rc;

use leaderboard_core::ports::{AnnouncedChange, Announcements, DocumentKind, DocumentName};
use leaderboard_core::{LruMap, StoreError, TenantId, Versioned};

use super::Banned;
use crate::TenantConfigEnvironment;
use leaderboard_cache::DocumentBodies;
use leaderboard_cache::documents::{
    DocumentLifetime, invalidate_documents, load_documents, publish_documents, publish_documents_of_kind,
};
use leaderboard_cache::freshness::Lifetime;
use leaderboard_rate_limit::{RateLimitRules, TenantLimits};

/// The id of a document of a kind that each tenant and the operator have one of.
const SINGLE_ID: &str = "only";

/// How long cached documents of a tenant are used. A change takes effect in its own region before the response is sent, and in
/// other regions by a message. These times apply if the message is lost.
const LIFETIME: DocumentLifetime = DocumentLifetime {
    lifetime: Lifetime {
        fresh_ms: 15_000,
        stale_while_revalidate_ms: 15_000,
        stale_if_error_ms: 24 * 60 * 60 * 1000,
    },
    notices_changes: true,
    own_documents: OWN_KINDS.len(),
};
/// The kind of the cache groups of tenants.
const GROUP_KIND: &str = "tenant";

/// The configuration that applies to a tenant, from the operator's documents and its own. One cache group has all of them, so that a
/// request reads one slot. The parsed values are kept with their documents, so that an instance parses each document once.
#[derive(Debug, Default)]
pub struct TenantConfig {
    /// The tenant's record; the defaults if the tenant has no record.
    pub tenant: TenantRecord,
    /// The rate limits and address lists that apply to the tenant's requests.
    pub limits: RateLimitRules,
    /// The players who may be banned.
    pub banned: Banned,
    documents: Rc<DocumentBodies>,
}

/// The most tenants whose configuration an instance keeps.
const MAX_CACHED_TENANTS: usize = 200;

/// The parsed configurations of an instance.
#[derive(Debug, Default)]
pub struct TenantConfigCache {
    tenants: RefCell<LruMap<TenantId, Rc<TenantConfig>, MAX_CACHED_TENANTS>>,
    /// The default tenant's documents, and the rate limits that the operator sets in them.
    operator: RefCell<Option<(Rc<DocumentBodies>, Rc<RateLimitRules>)>>,
    /// The configuration of a tenant without documents.
    defaults: Rc<TenantConfig>,
}

impl TenantConfigCache {
    /// Returns the configuration of a tenant without documents. It is built once for an instance, because every request begins
    /// with it.
    pub fn defaults(&self) -> Rc<TenantConfig> {
        Rc::clone(&self.defaults)
    }

    /// Returns a tenant's configuration if it was parsed from these documents.
    fn find(&self, tenant: &TenantId, documents: &Rc<DocumentBodies>) -> Option<Rc<TenantConfig>> {
        let mut tenants = self.tenants.borrow_mut();
        let tenant_config = tenants.get(tenant)?;
        Rc::ptr_eq(&tenant_config.documents, documents).then(|| Rc::clone(tenant_config))
    }

    fn insert(&self, tenant: &TenantId, tenant_config: &Rc<TenantConfig>) {
        self.tenants
            .borrow_mut()
            .insert(tenant.clone(), Rc::clone(tenant_config));
    }
}

/// A tenant's documents, in the order in which they are loaded.
const OWN_KINDS: [DocumentKind; 4] = [
    DocumentKind::Tenant,
    DocumentKind::Limits,
    DocumentKind::Flags,
    DocumentKind::Bans,
];
/// The operator's documents, which are loaded after the tenant's.
const OPERATOR_KINDS: [DocumentKind; 2] = [DocumentKind::Limits, DocumentKind::Flags];

impl TenantConfig {
    /// Returns the configuration of a tenant from cached documents, or from the store.
    ///
    /// # Errors
    /// [`StoreError`] when the documents are not cached and the store does not answer, or when a document is damaged.
    pub async fn load<E: TenantConfigEnvironment>(
        env: &E,
        tenant: &TenantId,
    ) -> Result<Rc<Self>, StoreError> {
        let documents = load_tenant_documents(env, tenant).await?;
        if let Some(tenant_config) = env.tenant_config_state().configs.find(tenant, &documents) {
            return Ok(tenant_config);
        }
        let record = find_own(&documents, DocumentKind::Tenant).map(body);
        let tenant_config = Rc::new(Self {
            tenant: record
                .map(serde_json::from_slice)
                .transpose()
                .map_err(|error| StoreError::Corrupt(format!("record of the tenant {tenant}: {error}")))?
                .unwrap_or_default(),
            limits: RateLimitRules::from_stored(
                find_operators(&documents, DocumentKind::Limits).map(body),
                find_own(&documents, DocumentKind::Limits).map(body),
            ),
            banned: Banned::parse(find_own(&documents, DocumentKind::Bans).map(body))?,
            documents,
        });
        env.tenant_config_state().configs.insert(tenant, &tenant_config);
        Ok(tenant_config)
    }

    /// Returns the operator's rate limits, which apply before the tenant is known. The documents of the default tenant also
    /// contain them.
    ///
    /// # Errors
    /// [`StoreError`] when the documents are not cached and the store does not answer.
    pub async fn load_operator_rules<E: TenantConfigEnvironment>(
        env: &E,
    ) -> Result<Rc<RateLimitRules>, StoreError> {
        let documents = load_tenant_documents(env, env.default_tenant()).await?;
        let cached = &env.tenant_config_state().configs.operator;
        if let Some((parsed, rules)) = cached.borrow().as_ref()
            && Rc::ptr_eq(parsed, &documents)
        {
            return Ok(Rc::clone(rules));
        }
        let limits = find_operators(&documents, DocumentKind::Limits).map(body);
        let rules = Rc::new(RateLimitRules::from_stored(limits, None));
        *cached.borrow_mut() = Some((documents, Rc::clone(&rules)));
        Ok(rules)
    }

    /// Returns the configuration of a tenant whose documents cannot be loaded: the operator's rate limits, or the defaults.
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

    /// Returns whether the store has a document of this tenant. The result is false for a tenant id that a caller invented.
    pub fn has_own_documents(&self) -> bool {
        self.documents.iter().take(OWN_KINDS.len()).any(Option::is_some)
    }

    /// Returns the operator's document of a kind.
    pub fn operator_document(&self, kind: DocumentKind) -> Option<&[u8]> {
        find_operators(&self.documents, kind).map(body)
    }

    /// Returns the operator's flags with their version.
    pub fn operator_flags(&self) -> Option<&Versioned<Vec<u8>>> {
        find_operators(&self.documents, DocumentKind::Flags)
    }

    /// Returns the tenant's own flags with their version.
    pub fn tenant_flags(&self) -> Option<&Versioned<Vec<u8>>> {
        find_own(&self.documents, DocumentKind::Flags)
    }

    /// Publishes a change of a document of a tenant, or of the operator (`None`). Announces a tenant's change to the other
    /// regions, and invalidates the cached documents. Returns when every instance of this region uses the changed document.
    pub async fn publish_change<E: TenantConfigEnvironment>(env: &E, tenant: Option<&TenantId>) {
        let Some(tenant) = tenant else {
            publish_documents_of_kind(env, GROUP_KIND).await;
            return;
        };
        let announcement = async {
            if let Some(channel) = env.changes_channel() {
                // A failed message has no consequence but a delay: other regions use the change when their documents expire.
                let _ = env
                    .store()
                    .announce(channel, tenant, AnnouncedChange::Documents)
                    .await;
            }
        };
        publish_documents(env, &cache_group(tenant), announcement).await;
        Self::load_later(env, tenant);
    }

    /// Invalidates the cached documents of a tenant, because another region has changed one of them.
    pub async fn invalidate<E: TenantConfigEnvironment>(env: &E, tenant: &TenantId) {
        invalidate_documents(env, &cache_group(tenant)).await;
        Self::load_later(env, tenant);
    }

    /// Loads the configuration of a tenant after the response, so that the region has it if the store fails next.
    fn load_later<E: TenantConfigEnvironment>(env: &E, tenant: &TenantId) {
        let (own_env, tenant) = (env.clone(), tenant.clone());
        env.later(async move {
            let _ = Self::load(&own_env, &tenant).await;
        });
    }
}

/// Returns the cache group of a tenant's documents.
pub fn cache_group(tenant: &TenantId) -> String {
    format!("{GROUP_KIND}:{tenant}")
}

async fn load_tenant_documents<E: TenantConfigEnvironment>(
    env: &E,
    tenant: &TenantId,
) -> Result<Rc<DocumentBodies>, StoreError> {
    let owner = tenant.clone();
    let loaded = load_documents(
        env,
        &cache_group(tenant),
        move || document_names(&owner),
        LIFETIME,
    )
    .await?;
    Ok(Rc::clone(&loaded.bodies))
}

/// Returns the tenant's document of a kind.
fn find_own(documents: &DocumentBodies, kind: DocumentKind) -> Option<&Versioned<Vec<u8>>> {
    let at = OWN_KINDS.iter().position(|known| *known == kind)?;
    documents.get(at)?.as_ref()
}

/// Returns the operator's document of a kind.
fn find_operators(documents: &DocumentBodies, kind: DocumentKind) -> Option<&Versioned<Vec<u8>>> {
    let at = OPERATOR_KINDS.iter().position(|known| *known == kind)?;
    documents.get(OWN_KINDS.len() + at)?.as_ref()
}

fn body(document: &Versioned<Vec<u8>>) -> &[u8] {
    &document.value
}

/// Returns the name of a document whose kind exists once for each tenant, and once for the operator (`None`).
pub fn single_document_name(tenant: Option<&TenantId>, kind: DocumentKind) -> DocumentName {
    DocumentName {
        tenant: tenant.cloned(),
        kind,
        id: SINGLE_ID.into(),
    }
}

/// Returns the name of a tenant's record. The record belongs to the operator, so the tenant cannot change it.
pub fn tenant_record_name(tenant: &TenantId) -> DocumentName {
    DocumentName {
        tenant: None,
        kind: DocumentKind::Tenant,
        id: tenant.as_str().into(),
    }
}

fn document_names(tenant: &TenantId) -> Vec<DocumentName> {
    let own = OWN_KINDS.iter().map(|kind| match kind {
        DocumentKind::Tenant => tenant_record_name(tenant),
        kind => single_document_name(Some(tenant), *kind),
    });
    let operators = OPERATOR_KINDS
        .iter()
        .map(|kind| single_document_name(None, *kind));
    own.chain(operators).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_that_was_used_least_recently_makes_room() {
        let cache = TenantConfigCache::default();
        let tenant = |n: usize| TenantId::new(format!("t{n:04}")).unwrap();
        let tenant_config = || {
            Rc::new(TenantConfig {
                documents: Rc::new(DocumentBodies::new()),
                ..TenantConfig::default()
            })
        };
        let first = tenant_config();
        cache.insert(&tenant(0), &first);
        for n in 1..MAX_CACHED_TENANTS {
            cache.insert(&tenant(n), &tenant_config());
        }
        let find = |n, of: &TenantConfig| cache.find(&tenant(n), &of.documents).is_some();
        assert!(find(0, &first));
        let one_more = tenant_config();
        cache.insert(&tenant(MAX_CACHED_TENANTS), &one_more);
        assert!(find(0, &first) && find(MAX_CACHED_TENANTS, &one_more));
        assert_eq!(cache.tenants.borrow().len(), MAX_CACHED_TENANTS);
    }
}
