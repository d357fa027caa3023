//! The parameters of a query.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

use crate::problem::Problem;

/// What axum makes of a query.
pub(crate) type Sent = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// The parameters, in the order they were sent. Unknown ones are ignored.
#[derive(Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn read(sent: Sent) -> Result<Self, Problem> {
        let Query(parameters) = sent.map_err(|_| Problem::bad_request("Invalid query"))?;
        Ok(Self(parameters))
    }

    /// The value of that name; the first of several counts.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    #[cfg(test)]
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Self(pairs.iter().map(owned).collect())
    }
}
