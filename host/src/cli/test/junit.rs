//! Writes the results as JUnit XML, as continuous integration reads them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::report::told;
use super::{Tested, Verdict};
use crate::error::{Error, Kind};
use crate::text;

/// One suite for each folder.
pub(super) fn write(path: &Path, folders: &[(String, Vec<Tested>)], elapsed: Duration) -> Result<(), Error> {
    let mut report = Report::new("podlens test");
    report.set_time(elapsed);
    for (name, cases) in folders {
        let mut suite = TestSuite::new(name.as_str());
        suite.set_time(cases.iter().map(|tested| tested.elapsed).sum());
        suite.add_test_cases(cases.iter().map(|tested| case(name, tested)));
        report.add_test_suite(suite);
    }
    let unwritable = || Error::new(Kind::InvalidArgument, format!("the report `{}` cannot be written", text::path(path)));
    let text = report.to_string().map_err(|error| unwritable().because(error))?;
    fs::write(path, text).map_err(|error| unwritable().because(error))
}

fn case(folder: &str, tested: &Tested) -> TestCase {
    let status = match &tested.verdict {
        Verdict::Passed | Verdict::Updated(_) => TestCaseStatus::success(),
        Verdict::Failed(_) => failure(NonSuccessKind::Failure, tested),
        Verdict::Unreadable(_) => failure(NonSuccessKind::Error, tested),
    };
    let mut case = TestCase::new(tested.name.as_str(), status);
    case.set_classname(folder).set_time(tested.elapsed);
    case
}

fn failure(kind: NonSuccessKind, tested: &Tested) -> TestCaseStatus {
    let told = told(tested).join("\n");
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(told.lines().next().unwrap_or_default()).set_description(told.as_str());
    status
}
