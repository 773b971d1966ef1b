//! The C interface that hurl_core calls, over [`crate::scan`].
#![allow(non_camel_case_types, non_snake_case, reason = "the names are libxml2's")]

use crate::scan::{Event, Scanner};
use std::os::raw::{c_char, c_int, c_uint, c_void};

/// A byte of UTF-8 text.
pub type xmlChar = u8;
/// Marks a handler of the second SAX interface.
pub const XML_SAX2_MAGIC: c_uint = 0xDEED_BEAF;
/// `XML_ERR_DOCUMENT_EMPTY`: the code given for every error, of which the caller only asks whether it is 0.
const ERROR: c_int = 4;

/// Called with the user's context only.
pub type documentSAXFunc = unsafe extern "C" fn(ctx: *mut c_void);
/// Called when an element opens.
pub type startElementNsSAX2Func = unsafe extern "C" fn(
    ctx: *mut c_void,
    local_name: *const xmlChar,
    prefix: *const xmlChar,
    uri: *const xmlChar,
    nb_namespaces: c_int,
    namespaces: *mut *const xmlChar,
    nb_attributes: c_int,
    nb_defaulted: c_int,
    attributes: *mut *const xmlChar,
);
/// Called when an element closes.
pub type endElementNsSAX2Func =
    unsafe extern "C" fn(ctx: *mut c_void, local_name: *const xmlChar, prefix: *const xmlChar, uri: *const xmlChar);
/// A callback that hurl_core never sets.
pub type unusedSAXFunc = unsafe extern "C" fn();

/// The callbacks, by libxml2's field names. Only the document and element ones are ever called.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "libxml2's field names; the type of each says whether it is used")]
pub struct xmlSAXHandler {
    pub internalSubset: Option<unusedSAXFunc>,
    pub isStandalone: Option<unusedSAXFunc>,
    pub hasInternalSubset: Option<unusedSAXFunc>,
    pub hasExternalSubset: Option<unusedSAXFunc>,
    pub resolveEntity: Option<unusedSAXFunc>,
    pub getEntity: Option<unusedSAXFunc>,
    pub entityDecl: Option<unusedSAXFunc>,
    pub notationDecl: Option<unusedSAXFunc>,
    pub attributeDecl: Option<unusedSAXFunc>,
    pub elementDecl: Option<unusedSAXFunc>,
    pub unparsedEntityDecl: Option<unusedSAXFunc>,
    pub setDocumentLocator: Option<unusedSAXFunc>,
    pub startDocument: Option<documentSAXFunc>,
    pub endDocument: Option<documentSAXFunc>,
    pub startElement: Option<unusedSAXFunc>,
    pub endElement: Option<unusedSAXFunc>,
    pub reference: Option<unusedSAXFunc>,
    pub characters: Option<unusedSAXFunc>,
    pub ignorableWhitespace: Option<unusedSAXFunc>,
    pub processingInstruction: Option<unusedSAXFunc>,
    pub comment: Option<unusedSAXFunc>,
    pub warning: Option<unusedSAXFunc>,
    pub error: Option<unusedSAXFunc>,
    pub fatalError: Option<unusedSAXFunc>,
    pub getParameterEntity: Option<unusedSAXFunc>,
    pub cdataBlock: Option<unusedSAXFunc>,
    pub externalSubset: Option<unusedSAXFunc>,
    pub initialized: c_uint,
    pub _private: *mut c_void,
    pub startElementNs: Option<startElementNsSAX2Func>,
    pub endElementNs: Option<endElementNsSAX2Func>,
    pub serror: Option<unusedSAXFunc>,
}

/// A pointer to the callbacks.
pub type xmlSAXHandlerPtr = *mut xmlSAXHandler;

/// A parse under way.
#[derive(Debug)]
pub struct xmlParserCtxt {
    handler: xmlSAXHandler,
    user: *mut c_void,
    scanner: Scanner,
    failed: bool,
}

/// A pointer to a parse under way.
pub type xmlParserCtxtPtr = *mut xmlParserCtxt;

/// Starts a parse. The first chunk and the file's name are not used by hurl_core and are ignored here.
///
/// # Safety
/// `handler` points to a handler; `user` is what its callbacks expect, and lives until [`xmlFreeParserCtxt`].
#[must_use]
pub unsafe fn xmlCreatePushParserCtxt(
    handler: xmlSAXHandlerPtr,
    user: *mut c_void,
    _chunk: *const c_char,
    _size: c_int,
    _filename: *const c_char,
) -> xmlParserCtxtPtr {
    // SAFETY: the caller says that `handler` points to a handler; it is copied, so it need not outlive this call.
    let handler = unsafe { *handler };
    Box::into_raw(Box::new(xmlParserCtxt { handler, user, scanner: Scanner::default(), failed: false }))
}

/// Feeds a chunk; returns 0 as long as the text can still be the beginning of a well-formed document. After an error
/// every further call fails.
///
/// # Safety
/// `context` comes from [`xmlCreatePushParserCtxt`] and is not freed; `chunk` points to `size` bytes.
pub unsafe fn xmlParseChunk(context: xmlParserCtxtPtr, chunk: *const c_char, size: c_int, terminate: c_int) -> c_int {
    // SAFETY: the caller says that `context` is alive and came from `Box::into_raw`; nobody else holds it now.
    let context = unsafe { &mut *context };
    let size = usize::try_from(size).unwrap_or(0);
    if size > 0 {
        // SAFETY: the caller says that `chunk` points to `size` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(chunk.cast::<u8>(), size) };
        bytes.iter().for_each(|byte| context.feed(*byte));
    }
    context.failed |= terminate != 0 && !context.scanner.is_complete();
    if context.failed { ERROR } else { 0 }
}

/// Ends a parse.
///
/// # Safety
/// `context` comes from [`xmlCreatePushParserCtxt`] and is freed once.
pub unsafe fn xmlFreeParserCtxt(context: xmlParserCtxtPtr) {
    // SAFETY: the caller says that it came from `Box::into_raw` above and that this is the only free.
    drop(unsafe { Box::from_raw(context) });
}

impl xmlParserCtxt {
    fn feed(&mut self, byte: u8) {
        if self.failed {
            return;
        }
        match self.scanner.push(byte) {
            Ok(event) => self.announce(event),
            Err(_) => self.failed = true,
        }
    }

    fn announce(&self, event: Event) {
        match event {
            Event::Nothing => {}
            Event::Opened => self.opened(),
            Event::Closed => self.closed(),
            Event::OpenedAndClosed => {
                self.opened();
                self.closed();
            }
        }
    }

    fn opened(&self) {
        use std::ptr::{null, null_mut};
        if let Some(callback) = self.handler.startElementNs {
            // SAFETY: the callback was given together with `user`; names and attributes may be null by its contract.
            unsafe { callback(self.user, null(), null(), null(), 0, null_mut(), 0, 0, null_mut()) };
        }
    }

    fn closed(&self) {
        use std::ptr::null;
        if let Some(callback) = self.handler.endElementNs {
            // SAFETY: as above.
            unsafe { callback(self.user, null(), null(), null()) };
        }
    }
}
