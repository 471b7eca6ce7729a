//! Lists a namespace, swallows the error there may be, and emits which one it was.

use podlens_guest::{
    Arguments, Description, Error, Parameter,
    pods::{self, ListOptions},
    rows,
};

fn describe() -> Description {
    podlens_test_guests::describe().parameters([Parameter::text("namespace", "The namespace").required()])
}

fn run(arguments: Arguments) -> Result<(), Error> {
    rows::emit([match list(arguments.get("namespace")?) {
        Ok(()) => "no error",
        Err(Error::InvalidArgument(_)) => "invalid-argument",
        Err(Error::Denied(_)) => "denied",
        Err(Error::NotFound) => "not-found",
        Err(Error::Expired) => "expired",
        Err(Error::LimitExceeded(_)) => "limit-exceeded",
        Err(Error::Unavailable(_)) => "unavailable",
        Err(Error::ServerError(_)) => "server-error",
        Err(Error::Other(_)) => "other",
    }])
}

fn list(namespace: String) -> Result<(), Error> {
    for pod in pods::list(ListOptions::new().namespace(namespace))? {
        pod?;
    }
    Ok(())
}

podlens_test_guests::guest!(describe, run);
