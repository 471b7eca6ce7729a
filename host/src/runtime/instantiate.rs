//! An instance and nothing more, for what instances cost.

use super::confine::confined;
use super::describe;
use super::load::Query;
use crate::error::Error;

impl Query {
    /// Makes an instance as each run does, and drops it with its store.
    pub(crate) async fn instantiate(&self) -> Result<(), Error> {
        let sandbox = describe::granted_nothing();
        confined(sandbox, &self.shared, "start", async |store| self.pre.instantiate_async(store).await.map(drop)).await
    }
}
