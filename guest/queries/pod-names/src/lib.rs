//! The namespace and name of each pod. The smallest query: one loop over `pods::list`.

use podlens_guest::{
    Arguments, Column, Description, Error, Query,
    pods::{self, ListOptions},
    rows,
};

struct PodNames;

impl Query for PodNames {
    fn describe() -> Description {
        Description::new("Pod names", "The namespace and name of each pod")
            .columns([Column::text("namespace", "The pod's namespace"), Column::text("name", "The pod's name")])
    }

    fn run(_: Arguments) -> Result<(), Error> {
        for pod in pods::list(ListOptions::new())? {
            let pod = pod?;
            rows::emit([pod.namespace(), pod.name()])?;
        }
        Ok(())
    }
}

podlens_guest::export!(PodNames);
