//! A log line as JSON: `timestamp`, `level`, `message`, `module`, `function`, `request_id`, `user_id`, and everything else
//! under `metadata`. What is not known is null, so that each line has the same fields.

use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt::{self, Debug, Write as _};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// A field of an event after which the process ends: `tracing` has no level above ERROR.
const FATAL_FIELD: &str = "fatal";

/// Formats events; fields of spans have to be JSON.
pub(crate) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        let mut function = None;
        let spans = context.event_scope();
        for span in spans.into_iter().flat_map(|spans| spans.from_root()) {
            function = Some(span.name());
            if let Some(recorded) = span.extensions().get::<FormattedFields<N>>() {
                fields.add_json(recorded);
            }
        }
        event.record(&mut fields);

        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let of_log = event.normalized_metadata();
        let described = of_log.as_ref().unwrap_or_else(|| event.metadata());
        let module = described.module_path().unwrap_or(described.target());
        let line = Line::new(timestamp, *described.level(), module, function, fields.0);
        let text = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
        writeln!(writer, "{text}")
    }
}

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    message: Value,
    module: &'a str,
    /// The innermost span, which has the name of what is done.
    function: Option<&'a str>,
    request_id: Value,
    user_id: Value,
    metadata: Map<String, Value>,
}

impl<'a> Line<'a> {
    fn new(
        timestamp: String,
        level: Level,
        module: &'a str,
        function: Option<&'a str>,
        mut fields: Map<String, Value>,
    ) -> Self {
        let is_fatal = fields.remove(FATAL_FIELD) == Some(Value::Bool(true));
        let mut take = |name| fields.remove(name).unwrap_or_default();

        Self {
            timestamp,
            level: if is_fatal { "FATAL" } else { level.as_str() },
            message: take("message"),
            module,
            function,
            request_id: take("request_id"),
            user_id: take("user_id"),
            metadata: fields,
        }
    }
}

/// What an event and the spans around it say; the inner wins.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn add_json(&mut self, text: &str) {
        if let Ok(Value::Object(fields)) = serde_json::from_str(text) {
            self.0.extend(fields);
        }
    }

    /// What the crate `log` says of the place stands in the event's metadata already.
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        if !field.name().starts_with("log.") {
            self.0.insert(field.name().to_owned(), value.into());
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // What cannot be shown is shown as far as it can.
        let _ = write!(text, "{value:?}");
        self.add(field, text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::fmt::MakeWriter;
    use tracing_subscriber::fmt::format::JsonFields;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Kept {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    fn logged(work: impl FnOnce()) -> Vec<Value> {
        let kept = Kept::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(kept.clone())
            .event_format(JsonLines)
            .fmt_fields(JsonFields::new())
            .finish();
        tracing::subscriber::with_default(subscriber, work);

        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_line_has_the_fields_of_the_documents() {
        let lines = logged(|| {
            let span = tracing::info_span!("record_sale", request_id = "req-1");
            span.in_scope(|| tracing::info!(outlet = 7, currency = "GEL", "a sale is final"));
            tracing::warn!(path = %"/x", "late");
        });

        assert_eq!(lines.len(), 2, "{lines:?}");
        let [first, second] = [&lines[0], &lines[1]];
        assert_eq!(first["level"], "INFO");
        assert_eq!(first["message"], "a sale is final");
        assert_eq!(first["module"], module_path!());
        assert_eq!(first["function"], "record_sale");
        assert_eq!(first["request_id"], "req-1");
        assert_eq!(first["user_id"], Value::Null);
        assert_eq!(
            first["metadata"],
            serde_json::json!({"outlet": 7, "currency": "GEL"})
        );
        assert!(first["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(second["function"], Value::Null);
        assert_eq!(second["metadata"]["path"], "/x");
    }

    #[test]
    fn what_ends_the_process_is_fatal() {
        let lines = logged(|| tracing::error!(fatal = true, error = "no \"disk\"\n", "stopped"));
        assert_eq!(lines[0]["level"], "FATAL");
        assert_eq!(
            lines[0]["metadata"],
            serde_json::json!({"error": "no \"disk\"\n"})
        );
    }
}
