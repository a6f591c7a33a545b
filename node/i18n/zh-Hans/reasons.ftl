# Why something is not done, of what has no error type of its own.

reasons-answer-lost = 回答丢失了
reasons-input-late = 没能及时读取输入
reasons-late = { $seconds } 秒内没有回答；用 --timeout 可以等得更久
reasons-not-there = { $name } 不提供 { $capability }，或者不在
reasons-no-model = 这里没有节点有模型 { $model }；现有：{ $known }
reasons-nobody = 这里没有节点提供 { $capability }（已提供：{ $known ->
        [nothing] 无
       *[other] { $known }
    }）。启动一个提供它的节点，或运行 `potluck doctor`
reasons-nobody-nor-this = 这里没有节点提供 { $capability }（已提供：{ $known ->
        [nothing] 无
       *[other] { $known }
    }；本节点：{ $why }）。启动一个提供它的节点，或运行 `potluck doctor`
reasons-no-mail = 本节点没有邮件：它运行时没有数据文件夹
reasons-unreadable = 看不懂对方的回答；对方的版本可能不同（{ $why }）
reasons-goodbye = 离开了
reasons-lost = 没有回应了
reasons-expired = 很久没有消息
reasons-evicted = 为别的节点让出了位置
reasons-gone = 不在了
reasons-no-address = { $text } 不是地址：{ $why }
reasons-no-host = { $text } 不是地址：{ $why }。写成 192.168.1.20:4001 或 multiaddr
