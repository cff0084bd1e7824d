//! An exporter's thread, as its overflow sees it.

use crate::export::export_thread::ExportThread;
use crate::export::overflow::{Loan, Outlet};
use crate::queue::budget::Size;

impl Outlet for ExportThread {
    fn release(&self, room: Size) {
        self.state().backlog.has_left(room);
    }

    fn has_more(&self) {
        self.state().backlog.can_ask();
        self.has_job.notify_all();
    }

    fn lend(&self, loan: Option<Loan>) {
        self.state().backlog.lend(loan);
        self.has_job.notify_all();
    }
}
