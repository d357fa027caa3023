//! The parameters of a query.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

use crate::problem::Problem;

/// What axum makes of a query.
pub(super) type Sent = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// The parameters, in the order they were sent. Unknown ones are ignored.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn read(sent: Sent) -> Result<Self, Problem> {
        let Query(parameters) = sent.map_err(|_| Problem::bad_request("Invalid query"))?;
        Ok(Self(parameters))
    }

    /// The value of that name; the first of several counts.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    #[cfg(test)]
    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Self(pairs.iter().map(owned).collect())
    }
}
