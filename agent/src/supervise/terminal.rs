//! Who has the terminal: a child in a group of its own may read it and gets its Ctrl-C only when it is the one in front.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{self, IsTerminal as _};

/// Makes the child's group the one in front, when our input is a terminal. A child that read too early was stopped by the kernel, and
/// goes on.
pub(super) fn give_to(child: Pid) {
    let input = io::stdin();
    if input.is_terminal() && rustix::termios::tcsetpgrp(&input, child).is_ok() {
        let _gone = kill_process(child, Signal::CONT);
    }
}
