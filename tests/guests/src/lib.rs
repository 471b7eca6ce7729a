//! What the guests in `examples/` share. Each is a component of one behaviour, often a hostile one,
//! that the host's tests run; its first line tells the behaviour.

use podlens_guest::{Column, Description};

#[doc(hidden)]
pub use podlens_guest;

/// The description of most guests: one column, `text`.
pub fn describe() -> Description {
    Description::new("Test", "A guest of the host's tests").columns([Column::text("text", "What the guest has to say")])
}

/// Makes a component of a function `run`, and of one that describes it where [`describe`] will not
/// do.
#[macro_export]
macro_rules! guest {
    ($run:ident) => {
        $crate::guest!($crate::describe, $run);
    };
    ($describe:path, $run:ident) => {
        struct Guest;

        impl $crate::podlens_guest::Query for Guest {
            fn describe() -> $crate::podlens_guest::Description {
                $describe()
            }

            fn run(arguments: $crate::podlens_guest::Arguments) -> Result<(), $crate::podlens_guest::Error> {
                $run(arguments)
            }
        }

        $crate::podlens_guest::export!(Guest);
    };
}
