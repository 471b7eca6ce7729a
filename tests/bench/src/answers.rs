//! What each competitor has to answer, and whether it did. The truth is what the pods were made of, not what anybody read.

use podlens_tests::cluster::realistic_pod;

use crate::Result;
use crate::field::PAGE_SIZE;

/// What a competitor prints, as far as it is compared. Each is a sorted list of lines: nothing is missing, nothing comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `NAMESPACE NAME` of each pod.
    Pods,
    /// `NAME` of each pod: what `kubectl get -o name` prints of all namespaces.
    Names,
    /// `NAMESPACE NAME CONTAINER RESTARTS` of each container with at least one restart.
    Containers,
    /// `NAMESPACE NAME RESTARTS` of each pod, of all its containers: what `kubectl get` prints.
    Sums,
    /// How many pages there were: the floor's.
    Pages,
}

/// How a competitor writes its lines.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layout {
    /// Words as they are compared.
    Words,
    /// A table with a line of headers, whose first columns are those words.
    Table,
    /// `pod/NAME`.
    Resources,
    /// Of `custom-columns`: containers and their restarts in two lists, `app,proxy 2,0`.
    Lists,
    /// What `kubectl get pods` prints for people. It names no namespace where it was asked for one.
    Kubectl,
}

/// The pods of a size, as lines of every form.
#[derive(Debug)]
pub(crate) struct Expected {
    pods: Vec<String>,
    names: Vec<String>,
    containers: Vec<String>,
    sums: Vec<String>,
    pages: Vec<String>,
}

impl Expected {
    /// Of `count` realistic pods in each of these namespaces.
    pub(crate) fn new(namespaces: &[String], count: usize) -> Self {
        let pages = format!("pages {}", (namespaces.len() * count).div_ceil(PAGE_SIZE).max(1));
        let mut all = Self { pods: Vec::new(), names: Vec::new(), containers: Vec::new(), sums: Vec::new(), pages: vec![pages] };
        for index in 0..count {
            let pod = realistic_pod(index);
            let name = pod["metadata"]["name"].as_str().expect("a realistic pod has a name");
            let containers = pod["status"]["containerStatuses"].as_array().expect("a realistic pod has containers");
            let restarts: Vec<_> = containers
                .iter()
                .map(|it| (it["name"].as_str().unwrap_or_default(), it["restartCount"].as_u64().unwrap_or_default()))
                .collect();
            for namespace in namespaces {
                all.pods.push(format!("{namespace} {name}"));
                all.names.push(name.to_owned());
                let restarted = restarts.iter().filter(|(_, restarts)| *restarts > 0);
                all.containers.extend(restarted.map(|(container, restarts)| format!("{namespace} {name} {container} {restarts}")));
                all.sums.push(format!("{namespace} {name} {}", restarts.iter().map(|(_, restarts)| restarts).sum::<u64>()));
            }
        }
        for lines in [&mut all.pods, &mut all.names, &mut all.containers, &mut all.sums] {
            lines.sort_unstable();
        }
        all
    }

    /// Whether this is the answer. The error shows the first lines that differ.
    pub(crate) fn compare(&self, form: Form, layout: Layout, namespace: Option<&str>, answer: &str) -> Result<()> {
        let expected = match form {
            Form::Pods => &self.pods,
            Form::Names => &self.names,
            Form::Containers => &self.containers,
            Form::Sums => &self.sums,
            Form::Pages => &self.pages,
        };
        let answered = normalise(form, layout, namespace, answer)?;
        let common = expected.iter().zip(&answered).take_while(|(expected, answered)| expected == answered).count();
        match (expected.get(common), answered.get(common)) {
            (None, None) => Ok(()),
            (expected, answered) => {
                Err(format!("line {} of its sorted answer is {}, and should be {}", common + 1, shown(answered), shown(expected)))
            }
        }
    }
}

fn shown(line: Option<&String>) -> String {
    line.map_or_else(|| "missing".to_owned(), |line| format!("{line:?}"))
}

/// The sorted lines of an answer.
fn normalise(form: Form, layout: Layout, namespace: Option<&str>, answer: &str) -> Result<Vec<String>> {
    let words = match form {
        Form::Names => 1,
        Form::Pods | Form::Pages => 2,
        Form::Sums => 3,
        Form::Containers => 4,
    };
    let headers = matches!(layout, Layout::Table | Layout::Lists | Layout::Kubectl);
    let mut lines = Vec::new();
    for line in answer.lines().skip(usize::from(headers)) {
        let fields: Vec<_> = line.split_whitespace().collect();
        match (layout, &fields[..]) {
            (Layout::Words, fields) if fields.len() == words => lines.push(fields.join(" ")),
            (Layout::Table, fields) if fields.len() >= words => lines.push(fields[..words].join(" ")),
            (Layout::Resources, [resource]) => {
                lines.push(resource.strip_prefix("pod/").ok_or_else(|| format!("a line is {line:?}"))?.to_owned());
            }
            (Layout::Lists, [namespace, name, containers, restarts]) => {
                let pairs = containers.split(',').zip(restarts.split(','));
                let restarted = pairs.filter(|(_, restarts)| *restarts != "0");
                lines.extend(restarted.map(|(container, restarts)| format!("{namespace} {name} {container} {restarts}")));
            }
            (Layout::Kubectl, fields) => {
                // NAMESPACE, where there are several, NAME, READY, STATUS, RESTARTS, AGE.
                let fields: Vec<_> = namespace.into_iter().chain(fields.iter().copied()).collect();
                let [namespace, name, _, _, restarts, _, ..] = fields[..] else { return Err(format!("a line is {line:?}")) };
                lines.push(format!("{namespace} {name} {restarts}"));
            }
            _ => return Err(format!("a line is {line:?}")),
        }
    }
    lines.sort_unstable();
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::{Expected, Form, Layout};

    fn check(form: Form, layout: Layout, answer: &str) -> Result<(), String> {
        Expected::new(&["a".to_owned(), "b".to_owned()], 2).compare(form, layout, None, answer)
    }

    #[test]
    fn the_same_answer_is_the_same_in_every_layout() {
        let containers = "b web-00001 app 1\na web-00001 app 1\n";
        check(Form::Containers, Layout::Words, containers).unwrap();
        check(
            Form::Containers,
            Layout::Table,
            "NAMESPACE NAME CONTAINER RESTARTS LASTREASON\na web-00001 app 1 Error\nb web-00001 app 1\n",
        )
        .unwrap();
        let lists =
            "N N C R\na web-00000 app,proxy 0,0\nb web-00000 app,proxy 0,0\na web-00001 app,proxy 1,0\nb web-00001 app,proxy 1,0\n";
        check(Form::Containers, Layout::Lists, lists).unwrap();
        let table = "NAMESPACE NAME READY STATUS RESTARTS AGE\n\
                     a web-00000 2/2 Running 0 3s\na web-00001 2/2 Running 1 (2d ago) 3s\n\
                     b web-00000 2/2 Running 0 3s\nb web-00001 2/2 Running 1 (2d ago) 3s\n";
        check(Form::Sums, Layout::Kubectl, table).unwrap();
        let names = "pod/web-00000\npod/web-00001\npod/web-00000\npod/web-00001\n";
        check(Form::Names, Layout::Resources, names).unwrap();
        check(Form::Pages, Layout::Words, "pages 1\n").unwrap();
    }

    #[test]
    fn of_one_namespace_kubectl_does_not_say_which() {
        let expected = Expected::new(&["a".to_owned()], 1);
        let table = "NAME READY STATUS RESTARTS AGE\nweb-00000 2/2 Running 0 3s\n";
        expected.compare(Form::Sums, Layout::Kubectl, Some("a"), table).unwrap();
    }

    #[test]
    fn a_line_that_is_missing_wrong_or_there_twice_is_shown() {
        let error = |answer| check(Form::Containers, Layout::Words, answer).expect_err("it differs");
        assert_eq!(error("a web-00001 app 1\n"), r#"line 2 of its sorted answer is missing, and should be "b web-00001 app 1""#);
        assert_eq!(
            error("a web-00001 app 2\nb web-00001 app 1\n"),
            r#"line 1 of its sorted answer is "a web-00001 app 2", and should be "a web-00001 app 1""#
        );
        assert!(error("a web-00001 app 1\nb web-00001 app 1\nb web-00001 app 1\n").contains("should be missing"));
        assert_eq!(error("oops\n"), r#"a line is "oops""#);
    }
}
