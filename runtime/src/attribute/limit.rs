//! How much a recorded span keeps. Cutting and dropping is done where a span is written, in `backend/`.

/// How much a span keeps. What exceeds a limit is dropped or cut, and the span counts the drops.
///
/// What describes the end of the span has room before anything else: the status, `error.type`,
/// `enter_span.outcome` and an `exception` event. Other events, links and attributes give way for it, the
/// last ones first.
///
/// The defaults are OpenTelemetry's, 128 of each and texts of any length, within 64 KiB a span.
///
/// ```
/// # use enter_span::native::SpanLimits;
/// let limits = SpanLimits::default().with_attributes(32).with_text(1024);
/// assert_eq!((limits.attributes, limits.text, limits.events), (32, Some(1024), 128));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanLimits {
    /// Attributes of a span: `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`. The default is 128.
    pub attributes: usize,
    /// Characters of a text, in an attribute or in a list there, also of `code.*`:
    /// `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`. The default, `None`, is any length.
    pub text: Option<usize>,
    /// Events of a span: `OTEL_SPAN_EVENT_COUNT_LIMIT`. The default is 128.
    pub events: usize,
    /// Links of a span: `OTEL_SPAN_LINK_COUNT_LIMIT`. The default is 128.
    pub links: usize,
    /// Attributes of an event: `OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT`. The default is 128.
    pub event_attributes: usize,
    /// Attributes of a link: `OTEL_LINK_ATTRIBUTE_COUNT_LIMIT`. The default is 128.
    pub link_attributes: usize,
    /// Bytes of memory that all of these take, about. The default is 64 KiB. A text that does not fit is
    /// cut to half of what is left, so that smaller ones still fit; anything else is dropped. The
    /// name and the description of the status are cut to half of the limit.
    pub bytes: usize,
}

impl Default for SpanLimits {
    fn default() -> Self {
        SpanLimits {
            attributes: 128,
            text: None,
            events: 128,
            links: 128,
            event_attributes: 128,
            link_attributes: 128,
            bytes: 64 << 10,
        }
    }
}

impl SpanLimits {
    /// Sets the most attributes of a span. The default is 128.
    ///
    /// ```
    /// # use enter_span::native::SpanLimits;
    /// assert_eq!(SpanLimits::default().with_attributes(32).attributes, 32);
    /// ```
    #[must_use]
    pub fn with_attributes(mut self, attributes: usize) -> Self {
        self.attributes = attributes;
        self
    }

    /// Sets the most characters of a text. The default, `None`, is any length.
    ///
    /// ```
    /// # use enter_span::native::SpanLimits;
    /// assert_eq!(SpanLimits::default().with_text(1024).text, Some(1024));
    /// ```
    #[must_use]
    pub fn with_text(mut self, characters: impl Into<Option<usize>>) -> Self {
        self.text = characters.into();
        self
    }

    /// Sets the most events of a span. The default is 128.
    ///
    /// ```
    /// # use enter_span::native::SpanLimits;
    /// assert_eq!(SpanLimits::default().with_events(16).events, 16);
    /// ```
    #[must_use]
    pub fn with_events(mut self, events: usize) -> Self {
        self.events = events;
        self
    }

    /// Sets the most links of a span. The default is 128.
    ///
    /// ```
    /// # use enter_span::native::SpanLimits;
    /// assert_eq!(SpanLimits::default().with_links(8).links, 8);
    /// ```
    #[must_use]
    pub fn with_links(mut self, links: usize) -> Self {
        self.links = links;
        self
    }

    /// Sets the most attributes of one event. The default is 128.
    ///
    /// ```
    /// # use enter_span::native::SpanLimits;
    /// assert_eq!(SpanLimits::default().with_event_attributes(4).event_attributes, 4);
    /// ```
    #[must_use]
    pub fn with_event_attributes(mut self, event_attributes: usize) -> Self {
        self.event_attributes = event_attributes;
        self
    }

    /// Sets the most attributes of one link. The default is 128.
    ///
    /// ```
    /// # use enter_span::native::SpanLimits;
    /// assert_eq!(SpanLimits::default().with_link_attributes(4).link_attributes, 4);
    /// ```
    #[must_use]
    pub fn with_link_attributes(mut self, link_attributes: usize) -> Self {
        self.link_attributes = link_attributes;
        self
    }

    /// Sets the most bytes of memory that a span keeps, about. The default is 64 KiB.
    ///
    /// ```
    /// # use enter_span::native::SpanLimits;
    /// assert_eq!(SpanLimits::default().with_bytes(16 << 10).bytes, 16 << 10);
    /// ```
    #[must_use]
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}
