//! `/web/users`: a page of accounts, searched, sorted and cut at the data provider: one query for each page, however many
//! accounts there are.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use sftpgo_core::data::{SortOrder, UserQuery};
use sftpgo_core::model::{UnixMillis, UserRecord};

use super::Admin;
use super::page::Page;
use super::text;
use super::visit::Visit;
use crate::api::parameters::{Parameters, Sent};

/// Accounts on a page, unless the query says otherwise.
const DEFAULT_ROWS: u32 = 50;
const MAX_ROWS: u32 = 500;

/// Which accounts are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct View {
    rows: u32,
    order: SortOrder,
    search: String,
    place: Place,
}

/// Where a page is in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    First,
    Last,
    After(String),
    Before(String),
}

impl View {
    /// What makes no sense shows the beginning: an address that was shortened or mistyped still leads somewhere.
    fn from(parameters: &Parameters) -> Self {
        let value = |name: &str| parameters.value(name).unwrap_or_default();
        let name = |name: &str| Some(value(name).to_owned()).filter(|name| !name.is_empty());
        let rows = value("qlimit").parse().ok().filter(|rows| *rows > 0);
        let place = match (name("after"), name("before")) {
            (Some(after), _) => Place::After(after),
            (None, Some(before)) => Place::Before(before),
            (None, None) if value("page") == "last" => Place::Last,
            (None, None) => Place::First,
        };
        Self {
            rows: rows.map_or(DEFAULT_ROWS, |rows: u32| rows.min(MAX_ROWS)),
            order: match value("order") {
                "DESC" => SortOrder::Descending,
                _ => SortOrder::Ascending,
            },
            search: value("search").to_owned(),
            place,
        }
    }

    /// Pages are counted from the other end if they are asked for by what comes after them.
    fn is_backward(&self) -> bool {
        matches!(self.place, Place::Last | Place::Before(_))
    }

    /// One account more than is shown tells whether there are more.
    fn query(&self) -> UserQuery {
        let backward = match self.order {
            SortOrder::Ascending => SortOrder::Descending,
            SortOrder::Descending => SortOrder::Ascending,
        };
        UserQuery {
            limit: self.rows + 1,
            order: if self.is_backward() {
                backward
            } else {
                self.order
            },
            after: match &self.place {
                Place::After(name) | Place::Before(name) => Some(name.clone()),
                Place::First | Place::Last => None,
            },
            search: Some(self.search.clone()).filter(|search| !search.is_empty()),
            ..UserQuery::default()
        }
    }

    /// The address of another page of the same list.
    fn link(&self, place: &[(&str, &str)]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if !self.search.is_empty() {
            query.append_pair("search", &self.search);
        }
        if self.order == SortOrder::Descending {
            query.append_pair("order", "DESC");
        }
        if self.rows != DEFAULT_ROWS {
            query.append_pair("qlimit", &self.rows.to_string());
        }
        query.extend_pairs(place);
        let query = query.finish();
        if query.is_empty() {
            "/web/users".to_owned()
        } else {
            format!("/web/users?{query}")
        }
    }

    fn turned(&self) -> Self {
        Self {
            order: match self.order {
                SortOrder::Ascending => SortOrder::Descending,
                SortOrder::Descending => SortOrder::Ascending,
            },
            ..self.clone()
        }
    }
}

#[derive(Serialize)]
struct List {
    rows: Vec<Row>,
    search: String,
    descending: bool,
    qlimit: Option<u32>,
    turn: String,
    first: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    last: Option<String>,
}

#[derive(Serialize)]
struct Row {
    id: i64,
    username: String,
    home: String,
    active: bool,
    status: &'static str,
    expired: bool,
    expiration: String,
    permissions: String,
    bandwidth: Vec<String>,
    limited: bool,
    quota: Vec<Quota>,
    info: Vec<(&'static str, String)>,
}

/// What is used of one kind of limit.
#[derive(Serialize)]
struct Quota {
    text: String,
    /// If there is a limit.
    bar: Option<Bar>,
}

/// How full an account is.
#[derive(Serialize)]
struct Bar {
    label: &'static str,
    percent: u64,
    full: bool,
}

impl Row {
    fn of(user: &UserRecord, now: UnixMillis) -> Self {
        let bars = [
            Bar::of("Files", user.used_quota_files, user.quota_files),
            Bar::of("Size", user.used_quota_size, user.quota_size),
        ];
        let texts = text::quota(user).into_iter();
        let active = user.status == 1;
        Self {
            id: user.id,
            username: user.username.clone(),
            home: user.home_dir.clone(),
            active,
            status: if active { "Active" } else { "Inactive" },
            expired: user.expiration_date > 0 && user.expiration_date < now.0,
            expiration: text::expiration(user),
            permissions: text::permissions(user),
            bandwidth: text::bandwidth(user),
            limited: user.download_bandwidth > 0 || user.upload_bandwidth > 0,
            quota: texts
                .zip(bars)
                .map(|(text, bar)| Quota { text, bar })
                .collect(),
            info: text::info(user),
        }
    }
}

impl Bar {
    fn of(label: &'static str, used: i64, limit: i64) -> Option<Self> {
        let (used, limit) = (u128::try_from(used).ok()?, u128::try_from(limit).ok()?);
        let percent = (used * 100).checked_div(limit)?;
        Some(Self {
            label,
            percent: u64::try_from(percent.min(100)).unwrap_or(100),
            full: percent >= 90,
        })
    }
}

/// `GET /web/users`.
pub(super) async fn list(
    State(admin): State<Arc<Admin>>,
    headers: HeaderMap,
    parameters: Sent,
) -> Response {
    let visit = Visit::of(&headers);
    let parameters = Parameters::read(parameters).unwrap_or_default();
    let view = View::from(&parameters);
    let found = match admin.api.users.list(&view.query()).await {
        Ok(found) => found,
        Err(error) => return admin.say_error(&visit, "users", &error),
    };
    let page = Page {
        status: StatusCode::OK,
        title: "Users",
        section: "users",
        template: "users.html",
    };
    admin.show(&visit, &page, &shown(&view, found, UnixMillis::now()))
}

fn shown(view: &View, mut found: Vec<UserRecord>, now: UnixMillis) -> List {
    let rows = usize::try_from(view.rows).unwrap_or(usize::MAX);
    let more = found.len() > rows;
    found.truncate(rows);
    let backward = view.is_backward();
    if backward {
        found.reverse();
    }
    let has_next = match view.place {
        Place::First | Place::After(_) => more,
        Place::Last => false,
        Place::Before(_) => true,
    };
    let has_previous = match view.place {
        Place::First => false,
        Place::After(_) => true,
        Place::Last | Place::Before(_) => more,
    };
    let name = |user: Option<&UserRecord>| user.map(|user| user.username.clone());
    let (first, last) = (name(found.first()), name(found.last()));
    let link = |there: bool, place: &str, name: Option<String>| {
        let name = name.filter(|_| there)?;
        Some(view.link(&[(place, name.as_str())]))
    };
    List {
        rows: found.iter().map(|user| Row::of(user, now)).collect(),
        search: view.search.clone(),
        descending: view.order == SortOrder::Descending,
        qlimit: Some(view.rows).filter(|rows| *rows != DEFAULT_ROWS),
        turn: view.turned().link(&[]),
        first: has_previous.then(|| view.link(&[])),
        previous: link(has_previous, "before", first),
        next: link(has_next, "after", last),
        last: has_next.then(|| view.link(&[("page", "last")])),
    }
}

#[cfg(test)]
mod tests {
    use sftpgo_core::data::{MemoryProvider, UserStore as _};

    use super::*;

    fn view(pairs: &[(&str, &str)]) -> View {
        View::from(&Parameters::of(pairs))
    }

    #[test]
    fn a_query_that_makes_no_sense_shows_the_beginning() {
        for pairs in [
            &[][..],
            &[
                ("qlimit", "a"),
                ("order", "up"),
                ("page", "x"),
                ("after", ""),
            ],
            &[("qlimit", "-1")],
            &[("qlimit", "0")],
        ] {
            assert_eq!(view(pairs), view(&[]), "{pairs:?}");
        }
        assert_eq!(view(&[("qlimit", "100000")]).rows, MAX_ROWS);
        assert_eq!(view(&[("qlimit", "7")]).rows, 7);
    }

    #[test]
    fn addresses_of_pages_keep_what_is_asked_for() {
        let view = view(&[("search", "a&b"), ("order", "DESC"), ("qlimit", "7")]);
        let link = view.link(&[("after", "é \"<")]);
        let expected = "/web/users?search=a%26b&order=DESC&qlimit=7&after=%C3%A9+%22%3C";
        assert_eq!(link, expected);
        assert_eq!(view.turned().link(&[]), "/web/users?search=a%26b&qlimit=7");
    }

    /// Follows the links from one end to the other and back.
    #[tokio::test]
    async fn pages_lead_through_the_whole_list_in_both_directions_and_orders() {
        for count in [0_u32, 1, 6, 7, 8, 14, 20] {
            let users = (0..count).map(|number| UserRecord {
                username: format!("u{number:02}"),
                ..UserRecord::default()
            });
            let provider = MemoryProvider::with_users(users.collect()).unwrap();
            for order in ["ASC", "DESC"] {
                let mut names: Vec<_> = (0..count).map(|number| format!("u{number:02}")).collect();
                if order == "DESC" {
                    names.reverse();
                }
                for (start, back) in [("first", false), ("last", true)] {
                    let mut seen: Vec<String> = Vec::new();
                    let mut pairs = vec![("page".to_owned(), start.to_owned())];
                    loop {
                        let mut all = vec![("qlimit", "7"), ("order", order)];
                        all.extend(
                            pairs
                                .iter()
                                .map(|(key, value)| (key.as_str(), value.as_str())),
                        );
                        let view = view(&all);
                        let found = provider.users(&view.query()).await.unwrap();
                        let list = shown(&view, found, UnixMillis(0));
                        let page: Vec<_> =
                            list.rows.iter().map(|row| row.username.clone()).collect();
                        let link = if back { list.previous } else { list.next };
                        seen = if back {
                            [page, seen].concat()
                        } else {
                            [seen, page].concat()
                        };
                        let Some(link) = link else { break };
                        let query = link.split_once('?').unwrap().1;
                        pairs = url::form_urlencoded::parse(query.as_bytes())
                            .into_owned()
                            .collect();
                    }
                    assert_eq!(seen, names, "{count} {order} {start}");
                }
            }
        }
    }

    #[test]
    fn bars_show_how_full_an_account_is() {
        assert!(Bar::of("Size", 5, 0).is_none() && Bar::of("Size", -1, 5).is_none());
        let percent = |used, limit| Bar::of("Size", used, limit).unwrap().percent;
        assert_eq!(
            (percent(1, 3), percent(9, 3), percent(i64::MAX, 1)),
            (33, 100, 100)
        );
    }
}
