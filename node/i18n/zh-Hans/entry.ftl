# What the entry node says.

entry-is = { $name } 是入口节点。别人这样连接它：
entry-watch = http://{ $at }/healthz 和 http://{ $at }/metrics 说明它的状况
entry-stop = 按 Ctrl-C 或发送 SIGTERM 停止。
entry-no-page = 无法在 http://{ $at } 应答：{ $why }；请用 --http 换一个地址，或用 --http off
entry-no-control = 无法建立控制套接字：{ $why }
entry-http = 应是像 127.0.0.1:9464 这样的地址，或 off
