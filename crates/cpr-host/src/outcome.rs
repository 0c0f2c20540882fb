//! How a question to a service ended: with an answer, or with a problem that the contract has words for.

use cpr_wire::Problem;

/// An answer, or why there is none.
pub(crate) struct Outcome {
    /// XML, or the problem.
    pub(crate) result: Result<String, Problem>,
    /// The word in logs and metrics.
    pub(crate) name: &'static str,
    /// The trouble, where it is the host's.
    pub(crate) error: Option<String>,
}

impl Outcome {
    /// An answer.
    pub(crate) fn found(xml: Result<String, cpr_services::Error>) -> Outcome {
        match xml {
            Ok(xml) => Outcome { result: Ok(xml), name: "answered", error: None },
            Err(error) => Outcome::failed(&error),
        }
    }

    /// No answer, as the contract says it.
    pub(crate) fn problem(problem: Problem) -> Outcome {
        Outcome { result: Err(problem), name: name_of(&problem), error: None }
    }

    /// No answer, and the trouble is the host's.
    pub(crate) fn failed(error: &dyn std::error::Error) -> Outcome {
        Outcome { error: Some(error.to_string()), ..Outcome::problem(Problem::Internal) }
    }

    /// No answer, since the access log does not have it.
    pub(crate) fn not_logged(error: access_log::NotLogged) -> Outcome {
        Outcome { name: "not_logged", ..Outcome::failed(&error) }
    }
}

/// The word for a problem in logs and metrics.
pub(crate) fn name_of(problem: &Problem) -> &'static str {
    match problem {
        Problem::UnknownNumber => "unknown_number",
        Problem::NotKept => "not_kept",
        Problem::MalformedNumber => "malformed_number",
        Problem::NoAgreement | Problem::Token => "denied",
        Problem::Protected => "protected",
        Problem::UnknownService => "unknown_service",
        Problem::Internal => "failed",
        _ => "malformed",
    }
}
