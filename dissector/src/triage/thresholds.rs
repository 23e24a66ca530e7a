//! The numbers that decide: one table, so that they can be read, documented and changed.

use std::time::Duration;

/// A threshold cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ThresholdError {
    /// No threshold has this name.
    #[error("no threshold is called '{name}'{}", alike(.near))]
    Name {
        /// What was asked for.
        name: String,
        /// Names like it.
        near: Vec<&'static str>,
    },
    /// The value is no number, or no duration, as this threshold needs.
    #[error("'{value}' is no value for {name}, which is {kind}")]
    Value {
        /// The threshold.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it needs.
        kind: &'static str,
    },
}

fn alike(names: &[&str]) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("; did you mean {}?", names.join(", "))
    }
}

/// A value of a threshold, by what it is.
trait Threshold: Copy {
    const KIND: &'static str;
    fn read(text: &str) -> Option<Self>
    where
        Self: Sized;
    fn show(self) -> String;
}

impl Threshold for Duration {
    const KIND: &'static str = "a time span such as 5s, 500ms or 2m";

    fn read(text: &str) -> Option<Self> {
        let end = text
            .find(|c: char| c.is_ascii_alphabetic())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let seconds = match unit {
            "ms" => 0.001,
            "" | "s" => 1.0,
            "m" => 60.0,
            _ => return None,
        };
        Self::try_from_secs_f64(number.trim().parse::<f64>().ok()? * seconds).ok()
    }

    fn show(self) -> String {
        let millis = self.as_millis();
        if millis.is_multiple_of(1000) {
            format!("{}s", millis / 1000)
        } else {
            format!("{millis}ms")
        }
    }
}

impl Threshold for u64 {
    const KIND: &'static str = "a whole number";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(self) -> String {
        self.to_string()
    }
}

macro_rules! thresholds {
    ($($name:ident: $type:ty = $default:expr, $meaning:literal;)*) => {
        /// When something counts. The defaults are those of the documentation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Thresholds {
            $(#[doc = $meaning] pub $name: $type,)*
        }

        impl Default for Thresholds {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Thresholds {
            /// Name, value now and meaning of each.
            #[must_use]
            pub fn list(&self) -> Vec<(&'static str, String, &'static str)> {
                vec![$((stringify!($name), self.$name.show(), $meaning),)*]
            }

            /// Changes one by its name.
            ///
            /// # Errors
            /// When there is no such name, or the value is none for it.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), ThresholdError> {
                match name {
                    $(stringify!($name) => {
                        self.$name = <$type>::read(value).ok_or(ThresholdError::Value {
                            name: stringify!($name),
                            value: value.to_owned(),
                            kind: <$type>::KIND,
                        })?;
                        Ok(())
                    })*
                    _ => Err(ThresholdError::Name {
                        name: name.to_owned(),
                        near: crate::explain::suggest::nearest(name, [$(stringify!($name)),*].into_iter()),
                    }),
                }
            }
        }
    };
}

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

thresholds! {
    // All sections
    recovery: Duration = seconds(150), "After a lost session's client opens again, findings about order, duplicates and stuck states wait so long.";
    fold: Duration = seconds(60), "Effects so long after a cause that explains them are counted under it.";
    // Opening a session
    other_side: Duration = seconds(60), "A refusal is no trouble when the client is accepted by the other side within this time.";
    // Life and end of a session
    close_grace: Duration = seconds(5), "A reset so soon after CLOSE_REQ is the usual end.";
    // Side A, side B, maintenance
    // PG, peripherals, phones, clocks
    flap_window: Duration = minutes(10), "Peripherals that go offline and online again and again are counted over this time.";
    // Agents
    // Requests, calls, data
    // Network and capture
}
