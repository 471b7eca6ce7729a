//! The wish to end, told to all who are at work.

use tokio::sync::watch;

/// Tells. Dropped, it tells as well.
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<bool>);

/// Is told.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

pub(crate) fn channel() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Returns once the end is wished for.
    pub(crate) async fn asked(mut self) {
        // An error means that there is nobody left who could wish.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}
