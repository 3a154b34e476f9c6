"""Ports are proposals: free when chosen, and a loss is read from the loser's log."""

import socket

import pytest

from kubecontrolplane.ports import HOST, free_port, is_free, port_was_taken


def test_a_free_port_can_be_bound() -> None:
    with socket.socket() as server:
        server.bind((HOST, free_port()))


def test_promised_ports_are_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_port()
    drawn = iter([first, first, first + 1])
    monkeypatch.setattr(socket.socket, "bind", lambda *_: None)
    monkeypatch.setattr(socket.socket, "getsockname", lambda _: (HOST, next(drawn)))
    assert free_port(exclude={first}) == first + 1


def test_without_any_port_left_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "bind", lambda *_: None)
    monkeypatch.setattr(socket.socket, "getsockname", lambda _: (HOST, 7))
    with pytest.raises(OSError, match=r"no free port on 127\.0\.0\.1 besides \[7\]"):
        free_port(exclude={7})


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server((HOST, 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_a_port_whose_listener_left_is_free_despite_lingering_connections() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((HOST, port)):
            accepted, _ = server.accept()
            # Who closes first keeps the connection in TIME_WAIT.
            accepted.close()
    assert is_free(port)


@pytest.mark.parametrize(
    "log",
    [
        'level":"fatal","error":"listen tcp 127.0.0.1:2379: bind: address already in use"',
        "failed to listen on 127.0.0.1:6443: listen tcp 127.0.0.1:6443: bind: address already in use",
    ],
    ids=["etcd", "kube-apiserver"],
)
def test_the_loss_of_a_port_is_seen_in_a_log(log: str) -> None:
    assert port_was_taken(log)


def test_other_failures_are_no_loss_of_a_port() -> None:
    assert not port_was_taken("open ca.crt: no such file or directory")
