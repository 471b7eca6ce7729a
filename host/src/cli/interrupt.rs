//! The wish of whoever started the program that it end.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM. From when they are listened to, they end nothing by themselves, so that the end can be an orderly one.
pub(super) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// The first, and the next after it.
    pub(super) fn twice(self) -> (impl Future<Output = ()>, impl Future<Output = ()>) {
        let (told, first) = tokio::sync::oneshot::channel();
        let (told_again, second) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let Self { mut interrupt, mut terminate } = self;
            for told in [told, told_again] {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                // Who does not wait any more need not be told.
                let _ = told.send(());
            }
        });
        let wait = |told: tokio::sync::oneshot::Receiver<()>| async move {
            let _ = told.await;
        };
        (wait(first), wait(second))
    }

    /// Waits for either.
    pub(super) async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
