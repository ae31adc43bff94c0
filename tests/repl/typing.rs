//! The line editor while messages arrive, text is pasted and windows change.

use std::time::{Duration, Instant};

use wstap::commands::demo;
use wstap::commands::serve::{Mode, ServeOptions};

use crate::prompt::{
    CTRL_C, CTRL_U, ask, connect, expect_exit, last, opened, serve, wait_line, wait_prompt,
};
use crate::support::PATIENCE;
use crate::support::home::Home;
use crate::support::pty::Terminal;
use crate::support::scripted::{Gate, ScriptedServer, frame};

#[test]
fn keys_appear_at_once_while_10_000_messages_a_second_arrive() {
    let server = serve(ServeOptions {
        mode: Mode::Time,
        interval: Duration::from_micros(100),
        ..ServeOptions::default()
    });
    // The output is searched for whole lines, which colours would be in the middle of.
    let terminal = Terminal::new([server.url()]).env("NO_COLOR", "1").size(24, 100);
    let mut pty = terminal.start();
    let text = "the quick brown fox jumps over the lazy dog";
    let mut typed = String::from("> ");
    let mut times = Vec::new();
    let began = Instant::now();
    for (number, key) in text.chars().enumerate() {
        // Keys come at any moment of the traffic, not in step with it.
        let messages = 1 + 400 * number + 37 * number % 160;
        pty.wait_output_times("< 20", messages);
        pty.wait_for(|screen| last(screen) == typed.trim_end(), PATIENCE);
        typed.push(key);
        let sent = Instant::now();
        pty.send(key.to_string());
        let settled = |screen: &vt100::Screen| {
            let row = last(screen);
            let whole = row.starts_with('<') || format!("{typed} ").starts_with(&row);
            assert!(whole, "{row:?} while {typed:?} was typed");
            row == typed.trim_end()
        };
        pty.wait_for(settled, PATIENCE);
        times.push(sent.elapsed());
    }
    let rate = 400.0 * text.len() as f64 / began.elapsed().as_secs_f64();
    pty.send(CTRL_U);
    pty.line("/status");
    pty.wait_output("* received        ");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    times.sort_unstable();
    let (middle, most) = (times[times.len() / 2], times[times.len() - 1]);
    println!("keys appear after {middle:.1?} (p50), {most:.1?} (max); {rate:.0} messages/s");
    // One or two may meet a machine that has other things to do.
    let nearly_all = times[times.len() - 3];
    assert!(nearly_all < Duration::from_millis(250), "keys took {nearly_all:?}");
    let lines = pty.all_lines();
    assert_whole(&lines);
    let messages = lines.iter().filter(|line| line.starts_with("< "));
    assert!(messages.is_sorted(), "messages are not in order");
}

/// No half line stands anywhere, and no prompt but those of lines that were entered.
#[track_caller]
fn assert_whole(lines: &[String]) {
    let width = "< 2026-11-21T05:47:24.123456Z".len();
    for (number, line) in lines.iter().enumerate() {
        let whole = match line.as_bytes() {
            [b'<', b' ', ..] => line.len() == width && line.ends_with('Z'),
            [b'*', b' ', ..] => true,
            _ => ["", "> /status", "> /quit"].contains(&line.as_str()),
        };
        assert!(whole, "line {number} of {}: {line:?}", lines.len());
    }
}

#[test]
fn a_pasted_text_is_one_message() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        assert_eq!(peer.expect(0x1), "one\n  two\n/quit");
        assert_eq!(peer.expect(0x1), "alone");
        peer.send(frame(0x1, "both"));
        peer.expect(0x8);
    });
    let mut pty = connect(&server.url());
    pty.send("\x1b[200~one\r  two\r/quit\x1b[201~");
    pty.wait_for(|screen| screen.contents().contains("> one\n  two\n/quit"), PATIENCE);
    pty.send("\r");
    pty.send("\x1b[200~alone\r\x1b[201~\r");
    pty.wait_text("< both");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn a_text_too_long_for_the_editor_is_refused_and_the_prompt_goes_on() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        assert_eq!(peer.expect(0x1), "next");
        peer.expect(0x8);
    });
    let mut pty = connect(&server.url());
    let texts = ["line\r".repeat(70_000), "x".repeat((1 << 20) + 1)];
    for (text, end) in texts.iter().zip(["", "\r"]) {
        pty.send(format!("\x1b[200~{text}\x1b[201~{end}"));
        pty.wait_text("! that is too long for the editor");
        pty.send("\x0c");
        let gone = |screen: &vt100::Screen| !screen.contents().contains("too long");
        pty.wait_for(gone, PATIENCE);
    }
    pty.line("next");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn lines_pasted_without_brackets_all_arrive_in_order() {
    let line = |n: usize| format!("pasted line {n}");
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        for n in 0..1000 {
            assert_eq!(peer.expect(0x1), line(n));
        }
        peer.send(frame(0x1, "all there"));
        peer.expect(0x8);
    });
    let mut pty = connect(&server.url());
    let all: String = (0..1000).map(|n| line(n) + "\r").collect();
    pty.send(all);
    pty.wait_text("< all there");
    wait_prompt(&pty, ">");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    let lines = pty.all_lines();
    let prompts = lines.iter().filter_map(|line| line.strip_prefix("> pasted line "));
    let wanted = (0..1000).map(|n: usize| n.to_string());
    assert!(prompts.eq(wanted), "not every line stands as it was pasted");
    server.finish();
}

#[test]
fn keys_between_two_lines_wait_for_the_next() {
    let server = demo::server().unwrap();
    let mut pty = opened(Terminal::new([server.url()]));
    for n in 0..200 {
        // Each goes out as soon as the one before can be read: many meet no editor.
        pty.send(format!("{n} in vain\x03"));
        pty.send(format!("line {n}"));
        pty.send("\r");
        pty.send("a\x03b\x03");
    }
    pty.wait_text("< line 199");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    let lines = pty.all_lines();
    let echoed = lines.iter().filter_map(|line| line.strip_prefix("< line "));
    assert!(echoed.eq((0..200).map(|n: usize| n.to_string())), "lines are missing");
    let strange = lines.iter().find(|line| {
        let entered = ["> line ", "< line ", "* "].iter().any(|begin| line.starts_with(begin));
        let whole = ["", "> a", "> b", "> /quit"].contains(&line.as_str());
        !(entered || whole || line.ends_with(" in vain"))
    });
    assert_eq!(strange, None);
}

#[test]
fn a_long_line_survives_other_window_sizes() {
    let text: String = (0..60).map(|n| format!("word{n:02} ")).collect();
    let text = text.trim_end().to_owned();
    let wanted = text.clone();
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        assert_eq!(peer.expect(0x1), format!("{wanted}!?"));
        peer.send(frame(0x1, "as typed"));
        peer.expect(0x8);
    });
    let mut pty = connect(&server.url());
    pty.send(&text);
    let ends_with = |end: &str| {
        let end = format!("> {end}");
        move |screen: &vt100::Screen| {
            let rows: String = screen.rows(0, screen.size().1).collect();
            rows.trim_end().ends_with(&end)
        }
    };
    pty.wait_for(ends_with(&text), PATIENCE);
    pty.resize(24, 40);
    pty.send("!");
    pty.wait_for(ends_with(&format!("{text}!")), PATIENCE);
    pty.resize(30, 120);
    pty.send("?");
    pty.wait_for(ends_with(&format!("{text}!?")), PATIENCE);
    pty.send("\r");
    pty.wait_text("< as typed");
    wait_prompt(&pty, ">");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn a_line_of_1_mib_while_another_is_typed() {
    let typed = Gate::new();
    let go = typed.clone();
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        go.wait();
        peer.send(frame(0x1, "x".repeat(1 << 20)));
        peer.send(frame(0x1, "behind it"));
        assert_eq!(peer.expect(0x1), "half and whole");
        peer.send(frame(0x1, "seen"));
        peer.expect(0x8);
    });
    let mut pty = opened(Terminal::new(["-v", &server.url()]));
    pty.send("half");
    wait_prompt(&pty, "> half");
    typed.open();
    pty.wait_text("< behind it");
    pty.send(" and whole");
    wait_prompt(&pty, "> half and whole");
    pty.send("\r");
    pty.wait_text("< seen");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    let count = pty.output().iter().filter(|byte| **byte == b'x').count();
    assert!(count >= 1 << 20, "{count} of them are shown");
    server.finish();
}

#[test]
fn tab_completes_commands_and_arguments() {
    let home = Home::new();
    home.file("note.txt", "");
    let server = demo::server().unwrap();
    let mut pty = opened(Terminal::new([server.url()]).home(&home).env("NO_COLOR", "1"));
    let mut complete = |typed: &str, completed: &str| {
        pty.send(typed);
        wait_prompt(&pty, completed);
        pty.send(CTRL_U);
        wait_prompt(&pty, ">");
    };
    complete("/stat\t", "> /status");
    complete("/fr\t", "> /fra");
    complete("/set pr\to\t", "> /set pretty o");
    complete("/set pretty of\t", "> /set pretty off");
    complete("/frame op=pi\tx", "> /frame op=ping x");
    complete("/help recon\t", "> /help reconnect");
    complete("/file no\t", "> /file note.txt");
    pty.send("/close 101\t");
    for code in 1010..=1014 {
        wait_line(&pty, &format!("  {code}"));
    }
    wait_prompt(&pty, "> /close 101");
    pty.send("1\t4 \x7f");
    wait_prompt(&pty, "> /close 1011 4");
    pty.send(CTRL_C);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}

#[test]
fn a_hint_is_taken_with_the_right_arrow() {
    let server = demo::server().unwrap();
    let mut pty = connect(server.url());
    pty.send("/conn");
    wait_prompt(&pty, "> /connect [OPTIONS] URL|@PROFILE");
    pty.send("\x1b[C gopher://x");
    wait_prompt(&pty, "> /connect gopher://x");
    pty.send("\r");
    pty.wait_text("\n! ");
    // A URL that can't be is no reason to leave.
    ask(&mut pty, "still here", &["< still here"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}

#[test]
fn alt_enter_begins_a_line_and_tabs_are_sent() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        assert_eq!(peer.expect(0x1), "one\ntwo\n\nthree");
        assert_eq!(peer.expect(0x1), "a\tb\t");
        assert_eq!(peer.expect(0x1), "/x\ty");
        assert_eq!(peer.expect(0x1), "{\n\t\"a\":\t1\n}");
        assert_eq!(peer.expect(0x1), "c\td\n\u{1e}é\\");
        peer.send(frame(0x1, "all there"));
        peer.expect(0x8);
    });
    let mut pty = connect(&server.url());
    pty.send("one\x1b\rtwo\x1b\r\x1b\rthree");
    pty.wait_for(|screen| screen.contents().contains("> one\ntwo\n\nthree"), PATIENCE);
    pty.send("\r");
    pty.send("a\tb\t");
    wait_prompt(&pty, "> a     b");
    pty.send("\r//x\ty\r");
    pty.send("\x1b[200~{\r\t\"a\":\t1\r}\x1b[201~\r");
    pty.line("/text c\td\\n\\x1e\\u{e9}\\\\");
    pty.wait_text("< all there");
    pty.line(r"/text \xff");
    pty.wait_text("! /text: a text message is UTF-8, and byte 0 is not; /bin sends any bytes");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}
