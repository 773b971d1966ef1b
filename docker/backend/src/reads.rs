//! Owns the reads that a copy may answer: one entity by its id, and how a session stands; and, so that no copy outlives a change,
//! what each change makes outdated. The database is asked for everything else.

use crate::{
    app::App,
    auth::Claims,
    cache::Purpose,
    db::{DbError, records::Record},
    entities::{ENTITIES, Entity, Kind, is_id, named},
};

/// Begins every key: other programs may share the Redis.
const PREFIX: &str = "backend";

/// The entity with this id.
pub async fn record(app: &App, entity: &'static Entity, id: &str) -> Result<Option<Record>, DbError> {
    if !is_id(id) {
        // No such thing can exist, and a key is not made of what anybody sends.
        return Ok(None);
    }
    let key = record_key(entity, id);
    let copy = app.cache.get(Purpose::Records, std::slice::from_ref(&key)).await;
    if let Some(record) = copy.and_then(|copies| serde_json::from_str(copies.first()?).ok()) {
        return Ok(Some(record));
    }
    let record = app.database.read(entity, id).await?;
    if let Some(text) = record.as_ref().and_then(|record| serde_json::to_string(record).ok()) {
        app.cache.fill(Purpose::Records, &[(key, text)]).await;
    }
    Ok(record)
}

/// The role of the user behind a token; `None` when the user is gone or the token was revoked.
pub async fn role(app: &App, claims: &Claims) -> Result<Option<String>, DbError> {
    let keys = [token_key(&claims.jti), role_key(&claims.sub)];
    if let Some(mut copies) = app.cache.get(Purpose::Sessions, &keys).await {
        return Ok(copies.pop());
    }
    let standing = app.database.standing(&claims.sub, &claims.jti).await?;
    let role = standing.filter(|standing| !standing.is_revoked()).map(|standing| standing.role);
    if let Some(role) = &role {
        let [token, user] = keys;
        app.cache.fill(Purpose::Sessions, &[(token, "valid".to_owned()), (user, role.clone())]).await;
    }
    Ok(role)
}

/// To be called before an entity is changed.
pub async fn before_update(app: &App, entity: &'static Entity, id: &str) {
    app.cache.outdate(Purpose::Records, &[record_key(entity, id)]).await;
    if entity.name == "users" {
        app.cache.outdate(Purpose::Sessions, &[role_key(id)]).await;
    }
}

/// To be called before an entity is deleted: what refers to it lets go of it, and so changes as well.
pub async fn before_delete(app: &App, entity: &'static Entity, id: &str) -> Result<(), DbError> {
    before_update(app, entity, id).await;
    if app.cache.metrics().is_none() {
        return Ok(());
    }
    for child in &ENTITIES {
        for field in
            child.fields.iter().filter(|field| matches!(field.kind, Kind::Reference(to) if to == entity.singular))
        {
            let ids = app.database.referring(child, field.name, id).await?;
            let keys: Vec<_> = ids.iter().map(|id| record_key(child, id)).collect();
            app.cache.outdate(Purpose::Records, &keys).await;
        }
    }
    Ok(())
}

/// To be called before the role of a user is changed.
pub async fn before_role(app: &App, user_id: &str) {
    if let Some(users) = named("users") {
        before_update(app, users, user_id).await;
    }
}

/// To be called before a token is revoked.
pub async fn before_logout(app: &App, claims: &Claims) {
    app.cache.outdate(Purpose::Sessions, &[token_key(&claims.jti)]).await;
}

fn record_key(entity: &Entity, id: &str) -> String {
    format!("{PREFIX}:{}:{id}", entity.name)
}

fn role_key(user_id: &str) -> String {
    format!("{PREFIX}:role:{user_id}")
}

fn token_key(token_id: &str) -> String {
    format!("{PREFIX}:token:{token_id}")
}
