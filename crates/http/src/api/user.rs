//! `/api/v1/user`: accounts. Rules and merging are [`UserAdmin`](sftpgo_core::admin::UserAdmin)'s.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use sftpgo_core::admin::AdminErrorKind;
use sftpgo_core::data::{SortOrder, UserQuery};
use sftpgo_core::model::UserRecord;

use super::Api;
use super::parameters::{Parameters, Sent};
use crate::body;
use crate::problem::{ApiResult, Problem, acknowledged};
use crate::reply;

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 500;

type UserId = Result<Path<String>, PathRejection>;

/// A page of accounts.
pub(crate) async fn list(State(api): State<Arc<Api>>, parameters: Sent) -> ApiResult {
    let parameters = Parameters::read(parameters)?;
    let query = query_from(&parameters)?;
    api.core.flush_quota().await;
    Ok(reply::json(StatusCode::OK, &api.users.list(&query).await?))
}

/// One account.
pub(crate) async fn show(State(api): State<Arc<Api>>, id: UserId) -> ApiResult {
    let id = parse_id(id)?;
    api.core.flush_quota().await;
    Ok(reply::json(StatusCode::OK, &api.users.by_id(id).await?))
}

/// Adds an account; the reply shows it, with status 200 and not 201.
pub(crate) async fn add(State(api): State<Arc<Api>>, request: Request) -> ApiResult {
    let json = body::read(request, &api.limits).await?;
    let record = UserRecord::from_json(&json)
        .map_err(|error| Problem::bad_request(format!("invalid JSON: {error}")))?;
    Ok(reply::json(StatusCode::OK, &api.users.add(record).await?))
}

/// Lays the body over an account.
pub(crate) async fn update(State(api): State<Arc<Api>>, id: UserId, request: Request) -> ApiResult {
    let id = parse_id(id)?;
    let json = body::read(request, &api.limits).await?;
    api.users.update_from_json(id, &json).await?;
    Ok(acknowledged("User updated"))
}

/// Removes an account.
pub(crate) async fn remove(State(api): State<Arc<Api>>, id: UserId) -> ApiResult {
    let id = parse_id(id)?;
    api.users.delete(id).await.map_err(|error| {
        if error.kind() == AdminErrorKind::MethodDisabled {
            // Here, and only here, the reference answers 500 (11.4).
            return Problem::error(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
        }
        Problem::from(error)
    })?;
    Ok(acknowledged("User deleted"))
}

fn parse_id(id: UserId) -> Result<i64, Problem> {
    let id = id.ok().and_then(|Path(id)| id.parse().ok());
    id.ok_or_else(|| Problem::bad_request("Invalid userID"))
}

/// Reference 11.6, and two parameters of our own: `after`, where the page before ended, and `search`, how names begin.
fn query_from(parameters: &Parameters) -> Result<UserQuery, Problem> {
    let value = |name: &str| parameters.value(name);
    let limit = value("limit").map_or(Ok(DEFAULT_LIMIT), |text| number(text, "limit"))?;
    let offset = value("offset").map_or(Ok(0), |text| number(text, "offset"))?;
    let order = match value("order") {
        None | Some("ASC") => SortOrder::Ascending,
        Some("DESC") => SortOrder::Descending,
        Some(_) => return Err(Problem::bad_request("Invalid order")),
    };
    let text = |name: &str| {
        let given = value(name).filter(|text| !text.is_empty());
        given.map(str::to_owned)
    };
    Ok(UserQuery {
        limit: limit.min(MAX_LIMIT),
        offset,
        order,
        username: text("username"),
        after: text("after"),
        search: text("search"),
    })
}

/// Below zero counts as zero: such a limit means "everything" to SQL, which nobody may ask for.
fn number(text: &str, name: &str) -> Result<u32, Problem> {
    let number: i64 = text
        .parse()
        .map_err(|_| Problem::bad_request(format!("Invalid {name}")))?;
    Ok(u32::try_from(number.max(0)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Result<UserQuery, Problem> {
        query_from(&Parameters::of(pairs))
    }

    #[test]
    fn a_list_shows_a_hundred_unless_told_and_five_hundred_at_most() {
        assert_eq!(query(&[]).unwrap().limit, 100);
        assert_eq!(query(&[("limit", "510")]).unwrap().limit, 500);
        assert_eq!(query(&[("limit", "-1")]).unwrap().limit, 0);
        assert_eq!(
            query(&[("offset", "99999999999")]).unwrap().offset,
            u32::MAX
        );
    }

    #[test]
    fn an_order_is_written_in_capitals() {
        assert_eq!(
            query(&[("order", "DESC")]).unwrap().order,
            SortOrder::Descending
        );
        assert!(query(&[("order", "asc")]).is_err());
    }

    #[test]
    fn an_empty_text_asks_for_nothing() {
        let query = query(&[("username", ""), ("after", ""), ("search", "")]).unwrap();
        assert_eq!(
            (query.username, query.after, query.search),
            (None, None, None)
        );
    }

    #[test]
    fn the_first_of_two_values_counts() {
        let query = query(&[("username", "a"), ("username", "b")]).unwrap();
        assert_eq!(query.username.as_deref(), Some("a"));
    }
}
